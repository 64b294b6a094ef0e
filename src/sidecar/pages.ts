/**
 * Promises: the pages for probes and scrapers (interface sections 1 and 9).
 */
import type { ServeSettings } from '../config/settings.ts';
import { type AdminAnswer, type AdminRoute, type AdminServer, createAdminServer } from '../server/admin.ts';
import type { PolicyLife } from './policy-life.ts';
import type { Readiness } from './readiness.ts';
import type { Reporting } from './reporting.ts';

export function createAdmin(
  settings: ServeSettings,
  { metrics, fault }: Reporting,
  { ready }: PolicyLife,
): AdminServer {
  const routes = new Map<string, AdminRoute>([
    ['/livez', () => json(200, { status: 'alive' })],
    ['/readyz', () => readyPage(ready)],
    ['/metrics', async () => ({ status: 200, contentType: metrics.contentType, body: await metrics.text() })],
  ]);
  return createAdminServer({ address: settings.adminAddress, routes, onFault: fault });
}

function readyPage(ready: Readiness): AdminAnswer {
  const report = ready.report();
  return json(report.status === 'ready' ? 200 : 503, report);
}

function json(status: number, body: object): AdminAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body, undefined, 2)}\n` };
}
