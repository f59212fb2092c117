"""A real RTSP server (GStreamer's) on the loopback: ``rtsp_server.py PORT USER PASSWORD [CERTIFICATE]``.

Debian's packages gir1.2-gst-rtsp-server-1.0, python3-gi and gstreamer1.0-plugins-good carry it, glib-networking its
TLS; it runs in the system's Python, for which they are made. It gives noise as JPEG over RTP, at ``/udp`` over UDP
alone, and prints "ready".
With a certificate (PEM, its key in the same file) it speaks rtsps alone.
"""

import sys

import gi  # type: ignore[import-not-found,unused-ignore]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # type: ignore[import-not-found,unused-ignore]  # noqa: E402

LAUNCH = (
    "( videotestsrc pattern={} is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=20/1"
    " ! jpegenc ! rtpjpegpay name=pay0 pt=26 )"
)


def main(port: str, user: str, password: str, certificate: str = "") -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_service(port)
    server.set_address("127.0.0.1")
    auth = GstRtspServer.RTSPAuth()
    if certificate:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(certificate))
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    for path, pattern in (("/noise", "snow"), ("/black", "black"), ("/still", "smpte100"), ("/udp", "snow")):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(LAUNCH.format(pattern))
        factory.set_shared(True)
        if path == "/udp":
            factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
