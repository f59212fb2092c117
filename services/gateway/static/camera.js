// This browser's camera: a picture at a time to the gateway, the next one only after the answer to the last.

const WIDTH = 640;
const QUALITY = 0.8;
const ANSWER_MS = 5_000;
const TRY_AGAIN_MS = 2_000;
const TRIES = 3;

export class BrowserCamera {
  #handlers;
  #stream = null;
  #socket = null;
  #asked = 0; // a permission may come when nobody wants it any more
  #refused = 0; // connections in a row that never opened
  #video;
  #canvas = document.createElement("canvas");

  constructor(video, handlers) {
    this.#video = video;
    this.#handlers = handlers; // { known(cameraId), blocked(), ended() }
  }

  get on() {
    return this.#stream !== null;
  }

  /** Ask for the camera and begin. Raises what getUserMedia raises. */
  async start() {
    if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("no secure context", "SecurityError");
    const asked = ++this.#asked;
    const video = { width: { ideal: WIDTH }, frameRate: { ideal: 15 }, facingMode: "user" };
    const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    if (asked !== this.#asked) return release(stream);
    this.#stream = stream;
    stream.getVideoTracks()[0].addEventListener("ended", () => this.stop());
    this.#refused = 0;
    this.#video.srcObject = this.#stream;
    this.#video.hidden = false;
    await this.#video.play();
    if (this.on) this.#connect();
  }

  stop() {
    this.#asked += 1;
    if (!this.on) return;
    release(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
    this.#video.hidden = true;
    this.#socket?.close();
    this.#handlers.ended();
  }

  #connect() {
    const address = new URL("api/v1/frames", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.#socket = socket;
    let gapMs = 100;
    let sentAt = 0;
    let timer = 0;
    const next = () => {
      clearTimeout(timer);
      timer = setTimeout(shoot, Math.max(0, sentAt + gapMs - performance.now()));
    };
    const shoot = async () => {
      const picture = await this.#picture();
      if (socket.readyState !== WebSocket.OPEN) return;
      if (picture === null) return void (timer = setTimeout(shoot, 200));
      sentAt = performance.now();
      socket.send(picture);
      timer = setTimeout(() => socket.close(), ANSWER_MS);
    };
    socket.addEventListener("message", (message) => {
      const said = JSON.parse(message.data);
      this.#refused = 0;
      if (said.camera_id) {
        gapMs = 1000 / said.frame_rate;
        this.#handlers.known(said.camera_id);
      }
      next();
    });
    socket.addEventListener("close", () => {
      clearTimeout(timer);
      if (!this.on || socket !== this.#socket) return;
      this.#refused += 1;
      if (this.#refused >= TRIES) this.#handlers.blocked(); // a proxy, most likely, that passes no WebSockets on
      if (this.on) setTimeout(() => this.on && this.#connect(), TRY_AGAIN_MS);
    });
  }

  /** The picture of now as JPEG, at most 640 wide; null while there is none. */
  async #picture() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (!width || !height) return null;
    this.#canvas.width = Math.min(WIDTH, width);
    this.#canvas.height = Math.round((height * this.#canvas.width) / width);
    this.#canvas.getContext("2d").drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    return new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", QUALITY));
  }
}

function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** Key of the message that tells why a camera did not start. */
export function whyNot(error) {
  return (
    {
      NotAllowedError: "camera_refused",
      SecurityError: "camera_insecure",
      NotFoundError: "camera_missing",
      OverconstrainedError: "camera_missing",
    }[error.name] ?? "camera_busy"
  );
}
