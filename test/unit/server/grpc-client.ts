/** Promises: real gRPC clients for Check and health, bytes in and bytes out, so that no codec of the server's can hide a mistake. */
import { type ChannelCredentials, Client, credentials, type ServiceError } from '@grpc/grpc-js';

export interface Reply {
  /** gRPC status; 0 is OK. */
  readonly code: number;
  readonly details: string;
  readonly bytes: Buffer | undefined;
}

export interface CallOptions {
  readonly timeoutMs?: number;
}

/** The three answers of health, as they are on the wire. */
export const health = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;

function identity(bytes: Buffer): Buffer {
  return bytes;
}

function healthRequest(service: string): Buffer {
  return service === '' ? Buffer.alloc(0) : Buffer.from([0x0a, service.length, ...Buffer.from(service)]);
}

export class TestClient {
  readonly #client: Client;

  constructor(target: string, channel: ChannelCredentials = credentials.createInsecure()) {
    this.#client = new Client(target, channel, {
      // Each client has connections of its own; by default clients of one process share them.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.ssl_target_name_override': 'localhost',
    });
  }

  check(bytes: Uint8Array, options: CallOptions = {}): Promise<Reply> {
    return this.startCheck(bytes, options).reply;
  }

  /** A check that can be given up. */
  startCheck(bytes: Uint8Array, options: CallOptions = {}): { reply: Promise<Reply>; cancel: () => void } {
    return this.#unary('/envoy.service.auth.v3.Authorization/Check', Buffer.from(bytes), options);
  }

  /** Status number, or the negative gRPC status when there is none. */
  async health(service: string): Promise<number> {
    const { code, bytes } = await this.#unary('/grpc.health.v1.Health/Check', healthRequest(service), {}).reply;
    return code === 0 ? (bytes?.[1] ?? Number.NaN) : -code;
  }

  /** Statuses as they come; ends when the server ends the stream. */
  async *watch(service: string): AsyncGenerator<number> {
    const path = '/grpc.health.v1.Health/Watch';
    const stream = this.#client.makeServerStreamRequest(path, identity, identity, healthRequest(service));
    for await (const message of stream) {
      yield (message as Buffer)[1] ?? Number.NaN;
    }
  }

  close(): void {
    this.#client.close();
  }

  #unary(path: string, bytes: Buffer, { timeoutMs }: CallOptions): { reply: Promise<Reply>; cancel: () => void } {
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    let cancel: () => void = () => undefined;
    const reply = new Promise<Reply>((resolve) => {
      const done = (error: ServiceError | null, answer?: Buffer): void => {
        resolve({ code: error?.code ?? 0, details: error?.details ?? '', bytes: answer });
      };
      const call = this.#client.makeUnaryRequest(path, identity, identity, bytes, options, done);
      cancel = () => {
        call.cancel();
      };
    });
    return { reply, cancel };
  }
}
