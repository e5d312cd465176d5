//! curl, lftp and Python's ftplib at the door.

use crate::support::{CHARTS_BYTES, Kind, NAME, Open, Shop, charts, settings};

async fn open(kind: Kind) -> Open {
    Open::new(kind, Shop::default(), settings()).await
}

#[tokio::test]
async fn curl_fetches_a_file_in_tls_from_the_first_byte() {
    let door = open(Kind::Implicit).await;
    let got = door.curl(&format!("/{NAME}/Harbor%20Charts.zip"), &["-o", "got"]).await;
    assert!(got.status.success(), "{got:?}");
    assert!(door.got("got") == charts());
    assert_eq!(door.fetched(), 1);
}

#[tokio::test]
async fn curl_goes_on_where_it_was_broken_off() {
    let door = open(Kind::Implicit).await;
    std::fs::write(door.folder.path().join("got"), &charts()[..1_000_003]).unwrap();
    let path = format!("/{NAME}/Harbor%20Charts.zip");
    let got = door.curl(&path, &["-C", "-", "-o", "got"]).await;
    assert!(got.status.success(), "{got:?}");
    assert!(door.got("got") == charts());
}

#[tokio::test]
async fn curl_sees_the_files_of_a_directory_and_none_in_the_root() {
    let door = open(Kind::Required).await;
    let listed = door.curl(&format!("/{NAME}/"), &["--ssl-reqd", "--list-only"]).await;
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), "Harbor Charts.zip\nLies mich – ä.txt\n");
    let root = door.curl("/", &["--ssl-reqd"]).await;
    assert!(root.status.success() && root.stdout.is_empty(), "{root:?}");
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_file_look_the_same() {
    let door = open(Kind::Implicit).await;
    let file = door.curl(&format!("/{NAME}/other.zip"), &["-v"]).await;
    let name = door.curl(&format!("/{}/", &NAME[1..]), &["-v"]).await;
    for got in [file, name] {
        assert!(!got.status.success());
        let said = String::from_utf8_lossy(&got.stderr).into_owned();
        assert!(said.contains("550 there is nothing under this name"), "{said}");
    }
    assert_eq!(door.fetched(), 0);
}

#[tokio::test]
async fn without_tls_nobody_gets_in() {
    let door = open(Kind::Required).await;
    let got = door.curl(&format!("/{NAME}/"), &["-v"]).await;
    assert!(!got.status.success());
    let said = String::from_utf8_lossy(&got.stderr).into_owned();
    assert!(said.contains("530 say AUTH TLS first"), "{said}");
}

#[tokio::test]
async fn a_plain_door_serves_where_the_operator_opened_one() {
    let door = open(Kind::Plain).await;
    for mode in ["--disable-epsv", "--ftp-skip-pasv-ip"] {
        let got = door.curl(&format!("/{NAME}/Harbor%20Charts.zip"), &[mode, "-o", "got"]).await;
        assert!(got.status.success(), "{got:?}");
        assert!(door.got("got") == charts());
    }
}

#[tokio::test]
async fn lftp_mirrors_a_directory() {
    for kind in [Kind::Required, Kind::Implicit] {
        let door = open(kind).await;
        let scheme = if matches!(kind, Kind::Implicit) { "ftps" } else { "ftp" };
        let script = format!(
            "set ssl:ca-file cert.pem; set ftp:ssl-allow-anonymous true; set ftp:ssl-force true; set net:max-retries 1; \
             open {scheme}://{}; mirror --parallel=2 {NAME} got; exit",
            door.address
        );
        let got = door.run("lftp", &["--norc", "-c", &script]).await;
        assert!(got.status.success(), "{got:?}");
        assert!(door.got("got/Harbor Charts.zip") == charts());
        assert_eq!(door.got("got/Lies mich – ä.txt"), "Grüße\n".as_bytes());
    }
}

#[tokio::test]
async fn ftplib_lists_sizes_and_fetches_the_rest_of_a_file() {
    let door = open(Kind::Required).await;
    let said = door
        .python(
            "ftp.cwd(NAME)\n\
             print(ftp.pwd() == '/' + NAME)\n\
             print([(name, facts['size']) for name, facts in ftp.mlsd()])\n\
             print(ftp.size('Harbor Charts.zip'), ftp.sendcmd('MDTM Harbor Charts.zip'))\n\
             ftp.retrbinary('RETR Harbor Charts.zip', open('got', 'wb').write, rest=3000000)\n\
             print(refused(lambda: ftp.retrbinary('RETR Harbor Charts.zip', print, rest=9999999)))\n\
             ftp.cwd('..')\n\
             print(ftp.nlst(), ftp.nlst(NAME))\n\
             ftp.quit()\n",
        )
        .await;
    assert_eq!(
        said,
        "True\n\
         [('Harbor Charts.zip', '3000017'), ('Lies mich – ä.txt', '8')]\n\
         3000017 213 20260528202640\n\
         554\n\
         [] ['Harbor Charts.zip', 'Lies mich – ä.txt']\n"
    );
    assert_eq!(door.got("got"), charts()[3_000_000..]);
}

#[tokio::test]
async fn nothing_can_be_written_and_no_address_be_named() {
    let door = open(Kind::Required).await;
    let said = door
        .python(
            "import io\n\
             ftp.cwd(NAME)\n\
             print(refused(lambda: ftp.storbinary('STOR x', io.BytesIO(b'x'))))\n\
             print(refused(lambda: ftp.delete('Harbor Charts.zip')))\n\
             print(refused(lambda: ftp.rename('Harbor Charts.zip', 'y')))\n\
             print(refused(lambda: ftp.mkd('x')), refused(lambda: ftp.rmd('x')))\n\
             print(refused(lambda: ftp.sendport('127.0.0.1', 22)))\n\
             print(refused(lambda: ftp.prot_c()))\n",
        )
        .await;
    assert_eq!(said, "550\n550\n550\n550 550\n502\n534\n");
}

#[tokio::test]
async fn a_client_that_changes_its_mind_is_served_on() {
    let door = Open::new(Kind::Required, Shop { repeated: 20, ..Shop::default() }, settings()).await;
    let said = door
        .python(
            "ftp.cwd(NAME)\n\
             data = ftp.transfercmd('RETR Harbor Charts.zip')\n\
             data.recv(1000)\n\
             ftp.putcmd('ABOR')\n\
             first = refused(ftp.getresp)\n\
             print(first, ftp.getresp()[:3])\n\
             data.close()\n\
             print(len(ftp.nlst()), ftp.quit()[:3])\n",
        )
        .await;
    assert_eq!(said, "426 226\n2 221\n");
}

#[tokio::test]
async fn goods_that_are_withdrawn_are_cut_and_not_ended() {
    let shop = Shop { cut_after: Some(2_000_000), ..Shop::default() };
    let door = Open::new(Kind::Implicit, shop, settings()).await;
    let got = door.curl(&format!("/{NAME}/Harbor%20Charts.zip"), &["-o", "got"]).await;
    assert!(!got.status.success());
    assert!(door.got("got").len() < CHARTS_BYTES);
}
