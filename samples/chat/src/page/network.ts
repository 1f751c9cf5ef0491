const RealSocket = window.WebSocket;
const RealRequest = window.XMLHttpRequest;
const realFetch = window.fetch.bind(window);

/** The network as the page has it; it is never cut. */
export const uncutFetch = realFetch;

const sockets = new Set<SwitchedSocket>();
const requests = new Set<XMLHttpRequest>();
let isCut = false;
let failWaiting = (): void => undefined;
let cutting = nextCut();

/** A plug that can be pulled: the clients notice what they would notice of a dead network, and nothing else. */
export const network = {
  get isCut(): boolean {
    return isCut;
  },

  /** Puts the switch between the page and whatever client is made later. */
  install(): void {
    window.WebSocket = SwitchedSocket as unknown as typeof WebSocket;
    window.XMLHttpRequest = SwitchedRequest;
    window.fetch = (...args) => (isCut ? Promise.reject(failure()) : Promise.race([realFetch(...args), cutting]));
  },

  cut(): void {
    isCut = true;
    for (const socket of sockets) socket.lose();
    for (const request of requests) request.abort();
    failWaiting();
  },

  restore(): void {
    isCut = false;
    cutting = nextCut();
  },
};

function nextCut(): Promise<never> {
  const promise = new Promise<never>((_, reject) => (failWaiting = () => reject(failure())));
  promise.catch(() => undefined);
  return promise;
}

function failure(): TypeError {
  return new TypeError('The network is cut.');
}

/** Fails at once while the network is cut. */
class SwitchedRequest extends RealRequest {
  override send(body?: Document | XMLHttpRequestBodyInit | null): void {
    if (isCut) {
      setTimeout(() => this.dispatchEvent(new ProgressEvent('error')));
      return;
    }
    requests.add(this);
    this.addEventListener('loadend', () => requests.delete(this));
    super.send(body);
  }
}

/** A WebSocket whose wire can be cut: nothing goes through from that moment on, and no close frame either. */
class SwitchedSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;

  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  private readonly real: WebSocket | undefined;
  private lost = false;

  constructor(
    readonly url: string,
    protocols?: string | string[],
  ) {
    super();
    sockets.add(this);
    if (isCut) {
      setTimeout(() => this.lose());
      return;
    }
    this.real = new RealSocket(url, protocols);
    this.real.onopen = () => this.emit(new Event('open'));
    this.real.onmessage = ({ data }) => this.emit(new MessageEvent('message', { data: data as unknown }));
    this.real.onerror = () => this.emit(new Event('error'));
    this.real.onclose = ({ code, reason, wasClean }) => this.end(new CloseEvent('close', { code, reason, wasClean }));
  }

  get readyState(): number {
    return this.lost ? SwitchedSocket.CLOSED : (this.real?.readyState ?? SwitchedSocket.CONNECTING);
  }

  get binaryType(): BinaryType {
    return this.real?.binaryType ?? 'blob';
  }

  set binaryType(type: BinaryType) {
    if (this.real) this.real.binaryType = type;
  }

  send(data: string | Blob | BufferSource): void {
    if (!this.lost) this.real?.send(data);
  }

  close(code?: number, reason?: string): void {
    if (!this.lost) this.real?.close(code, reason);
  }

  lose(): void {
    if (this.lost) return;
    this.emit(new Event('error'));
    this.end(new CloseEvent('close', { code: 1006, wasClean: false }));
  }

  private end(event: CloseEvent): void {
    if (this.lost) return;
    this.emit(event, () => (this.lost = true));
    sockets.delete(this);
  }

  private emit(event: Event, before?: () => void): void {
    if (this.lost) return;
    before?.();
    this.dispatchEvent(event);
    const handlers: Readonly<Record<string, ((event: never) => void) | null>> = {
      open: this.onopen,
      message: this.onmessage,
      error: this.onerror,
      close: this.onclose,
    };
    handlers[event.type]?.call(this, event as never);
  }
}
