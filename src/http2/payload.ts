/**
 * Promises: what is inside frames that carry more than their payload: padding, priority, settings, header blocks in pieces
 * (RFC 9113 sections 6.1, 6.2, 6.5, 6.10).
 */
import { ConnectionError, defaultFrameBytes, errorCode, flag, maxWindow, setting } from './frame.ts';

/** One frame as it came. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function protocolError(message: string): ConnectionError {
  return new ConnectionError(errorCode.protocolError, message);
}

/** Without padding and, of HEADERS, without priority. */
export function contentOf({ flags, payload, stream }: Frame, mayHavePriority: boolean): Buffer {
  const padding = (flags & flag.padded) === 0 ? 0 : (payload[0] ?? 0);
  const hasPriority = mayHavePriority && (flags & flag.priority) !== 0;
  const start = ((flags & flag.padded) === 0 ? 0 : 1) + (hasPriority ? 5 : 0);
  const end = payload.length - padding;
  if (start > end) throw protocolError('padding that is longer than the frame');
  if (hasPriority) checkDependency(payload, start - 5, stream);
  return payload.subarray(start, end);
}

/** Section 5.3.1 of RFC 7540, which clients still speak. */
export function checkDependency(payload: Buffer, at: number, stream: number): void {
  if ((payload.readUInt32BE(at) & 0x7fff_ffff) === stream) throw protocolError('a stream that depends on itself');
}

export function checkLength({ payload }: Frame, bytes: number): void {
  if (payload.length !== bytes) throw new ConnectionError(errorCode.frameSizeError, 'a frame of a wrong length');
}

export interface PeerSettings {
  readonly initialWindow: number | undefined;
  readonly maxFrameBytes: number | undefined;
}

export function readSettings({ payload }: Frame): PeerSettings {
  if (payload.length % 6 !== 0) throw new ConnectionError(errorCode.frameSizeError, 'settings of a wrong length');
  let initialWindow: number | undefined;
  let maxFrameBytes: number | undefined;
  for (let at = 0; at < payload.length; at += 6) {
    const value = payload.readUInt32BE(at + 2);
    switch (payload.readUInt16BE(at)) {
      case setting.enablePush:
        if (value > 1) throw protocolError('a setting that is no truth value');
        break;
      case setting.initialWindowSize:
        if (value > maxWindow) throw new ConnectionError(errorCode.flowControlError, 'a window that is too large');
        initialWindow = value;
        break;
      case setting.maxFrameSize:
        if (value < defaultFrameBytes || value > 0xff_ffff) throw protocolError('a frame size that cannot be');
        maxFrameBytes = value;
        break;
      default:
        break;
    }
  }
  return { initialWindow, maxFrameBytes };
}

/** The payload of a SETTINGS frame. */
export function settingsPayload(settings: readonly (readonly [name: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(settings.length * 6);
  for (const [index, [name, value]] of settings.entries()) {
    payload.writeUInt16BE(name, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return payload;
}
