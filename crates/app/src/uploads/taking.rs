//! Taking in the pieces of an upload, and finishing it: what happens at the disk.

use bytes::Bytes;
use kernel::{MerchantId, UploadId};
use stores::{Resumable, Sha256, StoreError};
use tokio::sync::mpsc;

use super::flow::Told;
use super::{Upload, flow, store};
use crate::app::App;
use crate::cx::Actor;
use crate::failpoint;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::products::flow::StoredFile;
use crate::products::upload::{Pieces, room_for, stored_file};

/// Pieces that wait for the disk; a fast sender is held up by a slow disk, not kept in memory.
const PIECES_WAITING_MAX: usize = 8;
/// After so many bytes what has arrived is made durable and noted, also in the middle of a piece.
const SAVE_EVERY: u64 = 64 << 20;

/// An upload, and who is at it.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// Whose.
    pub merchant: MerchantId,
    /// Who sends.
    pub actor: Actor,
    /// Which.
    pub id: UploadId,
}

/// Takes in bytes from an offset on, and answers how far the upload is. What has arrived before a
/// line broke is kept.
pub async fn take(app: &App, at: At, offset: u64, mut content: impl Pieces) -> Flow<Upload> {
    let (sender, receiver) = mpsc::channel::<Bytes>(PIECES_WAITING_MAX);
    let desk = Desk { app: app.clone(), at };
    // The disk is slow: this waits for it off the async workers.
    let writing = tokio::task::spawn_blocking(move || desk.write(offset, receiver));
    let mut broken = None;
    loop {
        match content.next().await {
            Ok(Some(piece)) => {
                // A closed channel means that writing has ended; it says why below.
                if sender.send(piece).await.is_err() {
                    break;
                }
            }
            Ok(None) => break,
            Err(why) => {
                broken = Some(why);
                break;
            }
        }
    }
    drop(sender);
    let written = writing.await.map_err(|error| thread(&error))?;
    match (written, broken) {
        (Ok(_), Some(why)) => {
            let text = format!("the upload broke off: {why}; ask how far it is, and go on from there");
            Err(Problem::new(Code::Malformed, text).into())
        }
        (written, _) => written,
    }
}

/// Makes what has arrived a file of its product. Goes on to its end also when nobody waits for it any more.
pub async fn finish(app: &App, at: At, expected: Option<Sha256>, told: Told) -> Flow<Upload> {
    let desk = Desk { app: app.clone(), at };
    tokio::task::spawn_blocking(move || desk.finish(expected, told)).await.map_err(|error| thread(&error))?
}

fn thread(error: &tokio::task::JoinError) -> Failure {
    tracing::error!(%error, "the thread of an upload ended early");
    Problem::new(Code::Internal, "the upload could not be worked on; it has been logged").into()
}

/// Works on one upload, on a thread that may wait.
struct Desk {
    app: App,
    at: At,
}

impl Desk {
    /// The upload's row. Looked at once the upload is ours: it says what was noted last.
    fn row(&self) -> Flow<Upload> {
        let (merchant, id, now) = (self.at.merchant, self.at.id, self.app.now());
        self.app.read_now(move |snapshot| flow::find(snapshot, merchant, id, now))
    }

    fn take_up(&self) -> Flow<Box<dyn Resumable>> {
        let earlier = self.app.paused().take(self.at.id);
        self.app.blobs().resume(self.at.id, earlier).map_err(refused)
    }

    fn note(&self, upload: &Upload, received: u64) -> Flow<()> {
        let upload = upload.clone();
        self.app.write_blocking(self.at.merchant, self.at.actor, move |cx| flow::note(cx, &upload, received))
    }

    fn write(&self, offset: u64, mut pieces: mpsc::Receiver<Bytes>) -> Flow<Upload> {
        // Before the upload is taken up: one that is unknown leaves nothing in the store.
        self.row()?;
        let mut kept = self.take_up()?;
        let upload = self.row()?;
        if upload.version.is_some() {
            return Err(Problem::conflict("this upload is finished; begin another").into());
        }
        let there = self.go_on(&mut *kept, &upload)?;
        if offset != there {
            self.app.paused().keep(upload.id, kept.pause());
            let text = format!("the upload has {there} bytes; go on from there");
            return Err(Problem::conflict(text).at("offset").into());
        }
        if let Some(size) = upload.size {
            room_for(&**self.app.blobs(), size.saturating_sub(there))?;
        }
        let (mut saved, mut failed) = (there, None);
        while let Some(piece) = pieces.blocking_recv() {
            if let Err(error) =
                fits(&upload, kept.received(), &piece).and_then(|()| kept.write(&piece).map_err(refused))
            {
                failed = Some(error);
                break;
            }
            if kept.received().saturating_sub(saved) >= SAVE_EVERY {
                saved = self.save(&mut *kept, &upload)?;
            }
        }
        // What cannot be saved after a failed write is sent again; the failure is what is told.
        match (kept.received() == saved, failed) {
            (true, None) => {}
            (_, Some(error)) => {
                let _ = self.save(&mut *kept, &upload);
                return Err(error);
            }
            (false, None) => saved = self.save(&mut *kept, &upload)?,
        }
        self.app.paused().keep(upload.id, kept.pause());
        Ok(Upload { received: saved, sha256: None, touched_at: self.app.now(), ..upload })
    }

    /// Goes on where the row says. Where less is there, the row is corrected: what is not in the
    /// store has to be sent again.
    fn go_on(&self, kept: &mut dyn Resumable, upload: &Upload) -> Flow<u64> {
        let there = kept.go_on_at(upload.received).map_err(refused)?;
        if there < upload.received {
            tracing::warn!(upload = %upload.id, noted = upload.received, there, "an upload has lost bytes; they are asked for again");
            self.note(upload, there)?;
        }
        Ok(there)
    }

    /// Durable first, then noted.
    fn save(&self, kept: &mut dyn Resumable, upload: &Upload) -> Flow<u64> {
        let saved = kept.save().map_err(refused)?;
        failpoint!(PieceStored);
        self.note(upload, saved)?;
        failpoint!(PieceNoted);
        Ok(saved)
    }

    fn finish(&self, expected: Option<Sha256>, told: Told) -> Flow<Upload> {
        let known = self.row()?;
        if known.version.is_some() {
            return Ok(known);
        }
        let mut kept = self.take_up()?;
        let upload = self.row()?;
        if upload.version.is_some() {
            // Somebody else was faster; taking it up has made an empty file of its name.
            drop(kept);
            self.app.blobs().discard(upload.id).map_err(refused)?;
            return Ok(upload);
        }
        if let Some(stored) = self.stored_already(&upload)? {
            drop(kept);
            self.app.blobs().discard(upload.id).map_err(refused)?;
            return self.complete(stored, told);
        }
        let there = self.go_on(&mut *kept, &upload)?;
        whole(&upload, there)?;
        let digests = kept.digest().map_err(refused)?;
        if let Some(expected) = expected.filter(|expected| *expected != digests.sha256) {
            // Nobody can say which byte is wrong: it begins anew.
            self.note(&upload, 0)?;
            let text = format!(
                "what arrived has the SHA-256 {}, and not {expected}: it was changed on its way; send it again from the beginning",
                digests.sha256
            );
            return Err(Problem::invalid("sha256", text).into());
        }
        let (noted, sha256) = (upload.clone(), digests.sha256.to_string());
        self.app.write_blocking(self.at.merchant, self.at.actor, move |cx| {
            Ok(store::note_digest(cx.tx, &noted, &sha256, cx.now)?)
        })?;
        failpoint!(UploadReceived);
        let digests = kept.finish().map_err(refused)?;
        failpoint!(UploadStored);
        self.complete(stored_file(&upload.name, &digests), told)
    }

    /// What an earlier attempt has made a blob, before it was killed.
    fn stored_already(&self, upload: &Upload) -> Flow<Option<StoredFile>> {
        let Some(sha256) = upload.sha256.as_deref().and_then(|text| text.parse::<Sha256>().ok()) else {
            return Ok(None);
        };
        if self.app.blobs().size(&sha256).map_err(refused)? != Some(upload.received) {
            return Ok(None);
        }
        let digests = self.app.blobs().check(&sha256).map_err(refused)?;
        Ok(Some(stored_file(&upload.name, &digests)))
    }

    fn complete(&self, stored: StoredFile, told: Told) -> Flow<Upload> {
        let id = self.at.id;
        let done = self.app.write_blocking(self.at.merchant, self.at.actor, move |cx| {
            flow::complete(cx, id, &stored, told)
        })?;
        failpoint!(UploadRecorded);
        Ok(done)
    }
}

fn fits(upload: &Upload, received: u64, piece: &Bytes) -> Flow<()> {
    let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
    match upload.size {
        Some(size) if received.saturating_add(length) > size => {
            let text = format!("the upload was announced with {size} bytes, and more came; begin another");
            Err(Problem::invalid("size", text).into())
        }
        _ => Ok(()),
    }
}

fn whole(upload: &Upload, there: u64) -> Flow<()> {
    match upload.size {
        Some(size) if size != there => {
            let text = format!("the upload has {there} of {size} bytes; send the rest first");
            Err(Problem::conflict(text).into())
        }
        _ => Ok(()),
    }
}

fn refused(error: StoreError) -> Failure {
    match error {
        StoreError::Busy => Problem::new(Code::InProgress, StoreError::Busy.to_string()).into(),
        StoreError::Full => Problem::new(Code::Unavailable, StoreError::Full.to_string()).into(),
        error => {
            tracing::error!(%error, "an upload could not be stored");
            Problem::new(Code::Internal, "the upload could not be stored; it has been logged").into()
        }
    }
}
