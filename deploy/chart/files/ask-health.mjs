// Asks the Service as an Envoy would: gRPC health over HTTP/2, with TLS where there is TLS. Exit 0 and one line when it serves.
// Needs nothing but Node, so that it runs in the image of Scopegate itself.
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';

const { TARGET, TLS_DIR, TLS_CLIENT, DEADLINE_SECONDS } = process.env;
const serving = Buffer.from([0, 0, 0, 0, 2, 8, 1]);

function options() {
  if (!TLS_DIR) return {};
  const read = (file) => readFileSync(`${TLS_DIR}/${file}`);
  const own = TLS_CLIENT ? { cert: read('tls.crt'), key: read('tls.key') } : {};
  return { ca: read('ca.crt'), ...own };
}

function ask() {
  return new Promise((resolve, reject) => {
    const session = connect(`${TLS_DIR ? 'https' : 'http'}://${TARGET}`, options());
    session.setTimeout(2000, () => session.destroy(new Error('no answer within 2 s')));
    session.on('error', reject);
    const headers = { ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request(headers);
    const chunks = [];
    // A connection that fails cancels its streams, which say so in their own words.
    stream.on('error', (error) => reject(error.cause instanceof Error ? error.cause : error));
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('close', () => {
      session.close();
      resolve(Buffer.concat(chunks).equals(serving) ? undefined : 'it answers, and is not serving: is there a good policy?');
    });
    stream.end(Buffer.alloc(5));
  });
}

const end = Date.now() + 1000 * Number(DEADLINE_SECONDS);
for (;;) {
  const problem = await ask().catch((error) => (error instanceof Error ? error.message : String(error)));
  if (problem === undefined) {
    console.log(`${TARGET}: serving`);
    break;
  }
  if (Date.now() > end) {
    console.error(`${TARGET}: ${problem}`);
    process.exitCode = 1;
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
}
