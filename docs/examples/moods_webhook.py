import json, os
from http.server import BaseHTTPRequestHandler, HTTPServer
from standardwebhooks import Webhook  # pip install standardwebhooks

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        Webhook(os.environ["SECRET"]).verify(body, {name.lower(): value for name, value in self.headers.items()})
        self.send_response(204)
        self.end_headers()
        event = json.loads(body)["data"]
        print(event["phase"], event["mood"], event["confidence"], flush=True)

HTTPServer(("127.0.0.1", int(os.environ.get("PORT", 9100))), Receiver).serve_forever()
