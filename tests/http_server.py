"""A real HTTP server: the files of a folder, and at /mjpeg its JPEG pictures as a camera sends them.

Run as a program it is the server; imported by tests, it starts that program.
"""

import subprocess
import sys
import time
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOKEN = "geheim"


@contextmanager
def http_server(folder):
    """Serves `folder`; gives the address without a path. /mjpeg asks for `?token=` TOKEN."""
    process = subprocess.Popen(
        [sys.executable, "-u", __file__], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        if not self.path.startswith("/mjpeg"):
            super().do_GET()
        elif f"token={TOKEN}" not in self.path:
            self.send_error(401)
        else:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
            self.end_headers()
            while True:
                for path in sorted(Path().glob("*.jpg")):
                    data = path.read_bytes()
                    head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    self.wfile.write(head.encode() + data + b"\r\n")
                    time.sleep(0.05)


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        print(server.server_address[1])
        server.serve_forever()
