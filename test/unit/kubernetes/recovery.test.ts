/**
 * Whatever sequence of misfortunes the network and the server come up with, and whatever is changed meanwhile: once they are well
 * again, the state that was delivered last is that of the server.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  refuse,
  type ScriptedApiServer,
  type Step,
  startApiServer,
  streamed,
  type Verb,
} from './scripted-api-server.ts';
import { createFolder, kubeconfig, plain, watchCluster } from './subject.ts';

const misfortunes: Record<string, Step> = {
  reset: ({ request }) => request.socket.resetAndDestroy(),
  cut: ({ request, response }) => {
    response.writeHead(200, { 'content-length': '999' });
    response.write('{"kind":');
    setImmediate(() => request.socket.destroy());
  },
  empty: ({ response }) => response.end(),
  page: ({ response }) => response.end('<html>\n</html>\n'),
  'half a line': streamed('{"type":"MODIFIED","object":{"kind":"ConfigMap"'),
  expired: streamed('{"type":"ERROR","object":{"code":410}}\n'),
  bookmark: streamed('{"type":"BOOKMARK","object":{}}\n'),
  gone: refuse(410),
  unauthorized: refuse(401),
  forbidden: refuse(403),
  busy: refuse(429, 'busy', { 'retry-after': '1' }),
  broken: refuse(500),
};

const policies = ['policy', 'more', 'other'];

type Act =
  | { readonly do: 'script'; readonly on: Verb; readonly what: string }
  | { readonly do: 'put'; readonly name: string; readonly data: string }
  | { readonly do: 'delete'; readonly name: string }
  | { readonly do: 'drop' | 'end' | 'wait' };

const anyAct: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    do: fc.constant('script' as const),
    on: fc.constantFrom<Verb>('list', 'watch'),
    what: fc.constantFrom(...Object.keys(misfortunes)),
  }),
  fc.record({
    do: fc.constant('put' as const),
    name: fc.constantFrom(...policies),
    data: fc.constantFrom('1', '2', '3'),
  }),
  fc.record({ do: fc.constant('delete' as const), name: fc.constantFrom(...policies) }),
  fc.record({ do: fc.constantFrom('drop' as const, 'end' as const) }),
  // Long enough for a list and the beginning of a watch.
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
);

async function play(act: Act, server: ScriptedApiServer, truth: Map<string, object>): Promise<void> {
  if (act.do === 'script') server.script(act.on, misfortunes[act.what]!);
  if (act.do === 'put') {
    server.put(act.name, { data: { a: act.data }, labels: 'app=a' });
    truth.set(act.name, { a: act.data });
  }
  if (act.do === 'delete' && truth.delete(act.name)) server.delete(act.name);
  if (act.do === 'drop') server.drop();
  if (act.do === 'end') server.endWatches();
  if (act.do === 'wait') for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

it('any script of misfortunes: the last state is that of the server', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyAct, { maxLength: 25 }), async (acts) => {
      const server = await startApiServer();
      const folder = await createFolder();
      const path = await folder.write('config', kubeconfig(server.url));
      const { told, close } = watchCluster(
        { kind: 'files', paths: [path] },
        { kind: 'labelled', namespace: 'shop', selector: 'app=a' },
      );
      const truth = new Map<string, object>();
      try {
        for (const next of acts) await play(next, server, truth);
        // Scripted answers that nobody asked for yet would come after the end of this test.
        while (server.left() > 0) {
          server.endWatches();
          await new Promise((resolve) => setImmediate(resolve));
        }
        const wanted = Object.fromEntries(truth);
        await told.until(
          () => told.states.at(-1)?.kind === 'content' && isDeepStrictEqual(plain(told.states.at(-1)), wanted),
        );
        expect(told.faults).toEqual([]);
        // Equal states are not delivered twice.
        const twice = told.states.filter(
          (state, at) => at > 0 && JSON.stringify(identity(state)) === JSON.stringify(identity(told.states[at - 1])),
        );
        expect(twice).toEqual([]);
      } finally {
        close();
        await server.close();
        await folder.remove();
      }
    }),
    { numRuns: 60 },
  );
});

function identity(state: Parameters<typeof plain>[0]): unknown {
  return state?.kind === 'content' ? state.configMaps.map(({ name, uid, data }) => [name, uid, ...data]) : state;
}
