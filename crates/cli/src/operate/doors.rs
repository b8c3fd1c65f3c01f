//! The sockets at which proxies on this machine ask: `[[door]]` of the configuration.

use crate::exit::Failure;
use keystead_server::configuration::{Door, Limits};
use keystead_server::front::Front;
use keystead_server::own_place::OwnPlace;
use keystead_server::state::App;
use keystead_server::{listen, routes};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use tokio::net::UnixListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Who may ask: the server's own user, and the group of the socket.
const MODE: u32 = 0o660;

/// Sockets that listen, and serve once the installation is open.
pub(super) struct Doors(Vec<(Door, UnixListener)>);

impl Doors {
    /// Listens: what is wrong stops the start, before anything serves.
    pub(super) fn bind(doors: Vec<Door>) -> Result<Self, Failure> {
        let bound = doors.into_iter().map(|door| bind(&door).map(|listener| (door, listener)));
        bound.collect::<Result<_, _>>().map(Self)
    }

    /// Serves until `stop`, and then what is in work. The sockets stay, and nobody listens there: by then they may be
    /// those of the next server.
    pub(super) fn serve(
        self,
        app: &App,
        front: &Arc<Front>,
        limits: &Limits,
        stop: &CancellationToken,
    ) -> JoinSet<()> {
        let mut serving = JoinSet::new();
        for (door, listener) in self.0 {
            let socket = door.socket;
            tracing::info!(socket = %socket.display(), project = door.whose.project, environment = door.whose.environment, "proxies may ask");
            let place = Arc::new(OwnPlace::new(&app.keystead, door.whose));
            let router = Arc::clone(front).before(routes::doors(app.clone()));
            let (limits, stop) = (limits.clone(), stop.clone());
            serving.spawn(async move {
                if let Err(error) = listen::serve_door(listener, router, place, &limits, stop).await {
                    tracing::error!(socket = %socket.display(), %error, "a door's socket is broken");
                }
            });
        }
        serving
    }
}

fn bind(door: &Door) -> Result<UnixListener, Failure> {
    let socket = &door.socket;
    let failed = |error: io::Error| {
        Failure::local(
            format!("{} cannot be listened on: {error}.", socket.display()),
            "Make its folder, open to the proxy's group: install -d -o USER -g GROUP -m 2750 FOLDER",
        )
    };
    clear(socket)?;
    let listener = UnixListener::bind(socket).map_err(failed)?;
    // It is as the umask says until here: by the usual one the user's alone.
    fs::set_permissions(socket, Permissions::from_mode(MODE)).map_err(failed)?;
    Ok(listener)
}

/// Takes away the socket that an earlier server has left; never what somebody listens on, nor what
/// is none.
fn clear(socket: &Path) -> Result<(), Failure> {
    let Ok(found) = fs::symlink_metadata(socket) else { return Ok(()) };
    let in_the_way = |what: &str| {
        Err(Failure::local(
            format!("{} cannot be listened on: {what}.", socket.display()),
            "Choose another path as socket of the door, or remove what is there.",
        ))
    };
    if !found.file_type().is_socket() {
        return in_the_way("there is something else");
    }
    match UnixStream::connect(socket) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
        Err(error) => return in_the_way(&error.to_string()),
        Ok(_) => return in_the_way("another process listens there"),
    }
    match fs::remove_file(socket) {
        Ok(()) => Ok(()),
        Err(error) => in_the_way(&error.to_string()),
    }
}
