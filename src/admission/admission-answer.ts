/**
 * Promises: the verdict on a ConfigMap in the form in which an API server hands it on: an error of a few lines, or warnings of one each, that
 * kubectl shows as they are. Bounded and printable whatever the policy holds.
 * Leaves to others: what is right and wrong (policy/, rehearsal/).
 */
import { byPlace, formatProblem, type Problem } from '../policy/problem.ts';
import { printable } from '../report/printable.ts';
import type { AdmissionRequest } from './admission-request.ts';

/** What `response` of an AdmissionReview holds. */
export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  readonly warnings?: readonly string[];
}

/** Problems of one refusal that are told; whoever has more of them runs `lint`. */
const maxErrors = 20;

/** Of one line of an error, in UTF-16 code units. */
const maxErrorLength = 1000;

/** API servers cut a warning at 256 characters, and all of them together at 4,096. */
const maxWarningLength = 256;
const maxWarnings = 15;

/** `file` is how the ConfigMap is named in places; what is about it comes before what is about other sources. */
export function answerOf({ uid }: AdmissionRequest, file: string, problems: readonly Problem[]): AdmissionResponse {
  const [errors = [], warnings = []] = [
    problems.filter(({ severity }) => severity === 'error'),
    problems.filter(({ severity }) => severity === 'warning'),
  ].map((list) => ownFirst(file, list));
  if (errors.length > 0) return refusal(uid, file, errors);
  return warnings.length === 0 ? { uid, allowed: true } : { uid, allowed: true, warnings: warningLines(warnings) };
}

function ownFirst(file: string, problems: readonly Problem[]): readonly Problem[] {
  const isOwn = (problem: Problem): boolean => problem.file === file || problem.file.startsWith(`${file}/`);
  const sorted = problems.toSorted(byPlace);
  return [...sorted.filter(isOwn), ...sorted.filter((problem) => !isOwn(problem))];
}

function refusal(uid: string, file: string, errors: readonly Problem[]): AdmissionResponse {
  const count = errors.length === 1 ? '1 error' : `${errors.length} errors`;
  const told = errors.slice(0, maxErrors).map((error) => cut(lineOf(error), maxErrorLength));
  const more = errors.length - told.length;
  const rest = more === 0 ? [] : [`and ${more} more; \`scopegate lint\` tells all of them`];
  const message = [`${count} in the policy of ${file}:`, ...told, ...rest].join('\n');
  return { uid, allowed: false, status: { code: 422, reason: 'Invalid', message } };
}

function warningLines(warnings: readonly Problem[]): readonly string[] {
  const told = warnings.slice(0, maxWarnings).map((warning) => cut(lineOf(warning), maxWarningLength));
  const more = warnings.length - told.length;
  return more === 0 ? told : [...told, `and ${more} more warnings; \`scopegate lint\` tells all of them`];
}

function lineOf(problem: Problem): string {
  return printable(formatProblem(problem));
}

function cut(line: string, maxLength: number): string {
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1).toWellFormed()}…`;
}
