import os
from pythonosc.dispatcher import Dispatcher  # pip install python-osc
from pythonosc.osc_server import BlockingOSCUDPServer

dispatcher = Dispatcher()
dispatcher.map("/mood", lambda address, mood: print(mood, flush=True))
BlockingOSCUDPServer(("127.0.0.1", int(os.environ.get("PORT", 9000))), dispatcher).serve_forever()
