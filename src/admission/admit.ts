/**
 * Promises: the answer to one AdmissionReview, bytes to text. A ConfigMap whose policy has errors is refused with all of their places; what is
 * not a ConfigMap, or would be gone, is none of our business and allowed. Rejects only when the review of the policy does.
 * Leaves to others: HTTP (server/), and what a fault or our absence comes to: that is the `failurePolicy` of the webhook.
 */
import type { PolicyFile } from '../policy/document.ts';
import { compareText, type Problem } from '../policy/problem.ts';
import { type AdmissionResponse, answerOf } from './admission-answer.ts';
import { type AdmissionRequest, parseAdmissionReview, type ReviewedConfigMap } from './admission-request.ts';

/**
 * All that would be wrong if the source held these files: with themselves, with the other sources that are active, with the tests of the
 * policy. Changes nothing.
 */
export type ReviewPolicy = (source: string, files: readonly PolicyFile[]) => Promise<readonly Problem[]>;

export interface Admission {
  readonly status: number;
  /** JSON. */
  readonly body: string;
  /** For the log. Undefined: there was nothing to judge. */
  readonly judged: { readonly source: string; readonly allowed: boolean } | undefined;
}

export async function admit(body: Uint8Array, review: ReviewPolicy): Promise<Admission> {
  const parsed = parseAdmissionReview(body);
  if (!parsed.ok) return { status: 400, body: json({ error: parsed.problem }), judged: undefined };
  const { configMap } = parsed.request;
  if (configMap === undefined) return { status: 200, body: reviewed(unjudged(parsed.request)), judged: undefined };
  const source = sourceOf(configMap);
  const problems = [...binaryWarnings(configMap), ...(await review(source, filesOf(configMap)))];
  const response = answerOf(parsed.request, source, problems);
  return { status: 200, body: reviewed(response), judged: { source, allowed: response.allowed } };
}

/** Interface section 9: how a ConfigMap is named in places. */
function sourceOf({ namespace, name }: ReviewedConfigMap): string {
  return `configmap/${namespace}/${name}`;
}

function filesOf(configMap: ReviewedConfigMap): readonly PolicyFile[] {
  return [...configMap.data]
    .filter(([key]) => /\.(?:yaml|yml|json)$/.test(key))
    .map(([key, text]) => ({ name: `${sourceOf(configMap)}/${key}`, text }))
    .toSorted((a, b) => compareText(a.name, b.name));
}

function binaryWarnings(configMap: ReviewedConfigMap): readonly Problem[] {
  if (!configMap.hasBinaryData) return [];
  const message = '`binaryData` is never read';
  return [{ severity: 'warning', file: sourceOf(configMap), line: 1, column: 1, code: 'binary_data', message }];
}

function unjudged({ uid, isConfigMap }: AdmissionRequest): AdmissionResponse {
  if (isConfigMap) return { uid, allowed: true };
  return { uid, allowed: true, warnings: ['Scopegate judges ConfigMaps only; the rules of its webhook are too wide'] };
}

function reviewed(response: AdmissionResponse): string {
  return json({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
}

function json(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
