//! The sockets at which proxies on this machine ask: `[[door]]` of the configuration.

use crate::exit::Failure;
use keystead_server::configuration::{Door, Limits};
use keystead_server::front::Front;
use keystead_server::own_place::OwnPlace;
use keystead_server::state::App;
use keystead_server::{listen, routes};
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use tokio::net::{UnixListener, UnixSocket, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Who may ask: the server's own user, and the group of the socket.
const MODE: u32 = 0o660;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// Sockets that listen, and serve once the installation is open.
pub(super) struct Doors(Vec<(Door, UnixListener)>);

impl Doors {
    /// Listens: what is wrong stops the start, before anything serves.
    pub(super) async fn bind(doors: Vec<Door>) -> Result<Self, Failure> {
        let mut bound = Vec::with_capacity(doors.len());
        for door in doors {
            let listener = bind(&door).await?;
            bound.push((door, listener));
        }
        Ok(Self(bound))
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

async fn bind(door: &Door) -> Result<UnixListener, Failure> {
    let socket = &door.socket;
    clear(socket).await?;
    listen_at(socket).map_err(|error| {
        Failure::local(
            format!("{} cannot be listened on: {error}.", socket.display()),
            "Make its folder, open to the proxy's group: docs/GUARD.md says how.",
        )
    })
}

fn listen_at(path: &Path) -> io::Result<UnixListener> {
    let socket = UnixSocket::new_stream()?;
    let only = || Permissions::from_mode(MODE);
    // A file is made with the mode of the socket that is bound, less the umask: never more than this. Nobody can connect
    // before it listens.
    File::from(socket.as_fd().try_clone_to_owned()?).set_permissions(only())?;
    socket.bind(path)?;
    fs::set_permissions(path, only())?;
    socket.listen(BACKLOG)
}

/// Takes away the socket that an earlier server has left; never what somebody listens on, nor what is none.
async fn clear(socket: &Path) -> Result<(), Failure> {
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
    match UnixStream::connect(socket).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
        Err(error) => return in_the_way(&error.to_string()),
        Ok(_) => return in_the_way("another process listens there"),
    }
    match fs::remove_file(socket) {
        Ok(()) => Ok(()),
        Err(error) => in_the_way(&error.to_string()),
    }
}
