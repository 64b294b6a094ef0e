/**
 * Promises: what the peer allows us to send: its settings, the window of the connection, and which streams that window holds back
 * (RFC 9113 sections 5.2, 6.5 and 6.9).
 */
import { ConnectionError, defaultFrameBytes, defaultTableBytes, defaultWindow, errorCode, setting } from './frame.ts';
import { SendWindow } from './windows.ts';

export interface Sender {
  readonly window: SendWindow;
  /** Sends what the windows allow. */
  flush(): void;
}

/** A header block's beginning: from now on our table has no room (RFC 7541 section 6.3). We never had anything in it. */
const noTable = Uint8Array.of(0x20);

export class Peer {
  readonly window = new SendWindow(defaultWindow);
  /** Largest payload of a frame that it takes. */
  maxFrameBytes = defaultFrameBytes;
  /** Window of a new stream. */
  initialWindow = defaultWindow;
  /** It has made its table smaller and waits to be told that ours is (RFC 7541 section 4.2). */
  #owesTable = false;
  /** Streams that the window of the connection alone holds back. */
  readonly #blocked = new Set<Sender>();

  /** A header block as it is to be sent now. */
  block(block: Uint8Array): Uint8Array {
    if (!this.#owesTable) return block;
    this.#owesTable = false;
    return Buffer.concat([noTable, block]);
  }

  blocked(stream: Sender): void {
    this.#blocked.add(stream);
  }

  forget(stream: Sender): void {
    if (this.#blocked.size > 0) this.#blocked.delete(stream);
  }

  /** Checked settings of it; `streams` are those that are open. */
  apply(settings: ReadonlyMap<number, number>, streams: Iterable<Sender>): void {
    this.maxFrameBytes = settings.get(setting.maxFrameSize) ?? this.maxFrameBytes;
    if ((settings.get(setting.headerTableSize) ?? defaultTableBytes) < defaultTableBytes) this.#owesTable = true;
    const initialWindow = settings.get(setting.initialWindowSize) ?? this.initialWindow;
    const difference = initialWindow - this.initialWindow;
    this.initialWindow = initialWindow;
    if (difference === 0) return;
    for (const stream of streams) {
      if (!stream.window.grow(difference)) throw new ConnectionError(errorCode.flowControlError, 'a window too large');
      stream.flush();
    }
  }

  /** A larger window of the connection. */
  grow(bytes: number): void {
    if (!this.window.grow(bytes)) throw new ConnectionError(errorCode.flowControlError, 'a window that is too large');
    for (const stream of this.#blocked) {
      if (this.window.left <= 0) return;
      this.#blocked.delete(stream);
      stream.flush();
    }
  }
}
