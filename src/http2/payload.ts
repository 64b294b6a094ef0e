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
  const paddingField = (flags & flag.padded) === 0 ? 0 : 1;
  const priorityField = mayHavePriority && (flags & flag.priority) !== 0 ? 5 : 0;
  const start = paddingField + priorityField;
  if (start === 0) return payload;
  if (start > payload.length) throw new ConnectionError(errorCode.frameSizeError, 'a frame that is too short');
  const end = payload.length - (paddingField === 0 ? 0 : payload.readUInt8(0));
  if (start > end) throw protocolError('padding that is longer than the frame');
  if (priorityField > 0) checkDependency(payload, paddingField, stream);
  return payload.subarray(start, end);
}

/** Section 5.3.1 of RFC 7540, which clients still speak. */
export function checkDependency(payload: Buffer, at: number, stream: number): void {
  if ((payload.readUInt32BE(at) & 0x7fff_ffff) === stream) throw protocolError('a stream that depends on itself');
}

export function checkLength({ payload }: Frame, bytes: number): void {
  if (payload.length !== bytes) throw new ConnectionError(errorCode.frameSizeError, 'a frame of a wrong length');
}

/** The settings that a frame names, checked; of those that it names twice the last counts (section 6.5.3). */
export function readSettings({ payload }: Frame): ReadonlyMap<number, number> {
  if (payload.length % 6 !== 0) throw new ConnectionError(errorCode.frameSizeError, 'settings of a wrong length');
  const settings = new Map<number, number>();
  for (let at = 0; at < payload.length; at += 6) {
    const name = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    checkSetting(name, value);
    settings.set(name, value);
  }
  return settings;
}

function checkSetting(name: number, value: number): void {
  if (name === setting.enablePush && value > 1) throw protocolError('a setting that is no truth value');
  if (name === setting.initialWindowSize && value > maxWindow) {
    throw new ConnectionError(errorCode.flowControlError, 'a window that is too large');
  }
  if (name === setting.maxFrameSize && (value < defaultFrameBytes || value > 0xff_ffff)) {
    throw protocolError('a frame size that cannot be');
  }
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
