/**
 * Promises: whether a text is a label selector that an API server accepts, as `kubectl get -l` takes it. An API server answers a bad one
 * with 400 for ever, so it is refused before anything waits for it.
 * Leaves to others: what it selects.
 */
const name = '[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?';
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const key = `(?:(?=[^/]{1,253}/)${label}(?:\\.${label})*/)?${name}`;
/** May be empty, as the value of a label may. */
const value = `(?:${name})?`;

/** One requirement of each kind: there, not there, equal or not, one of several or none of them, a number. */
const requirement = new RegExp(
  [
    `^(?:(?:!\\s*)?${key}`,
    `${key}\\s*(?:=|==|!=)\\s*${value}`,
    `${key}\\s+(?:in|notin)\\s*\\(\\s*${value}\\s*(?:,\\s*${value}\\s*)*\\)`,
    `${key}\\s*[<>]\\s*\\d{1,15})$`,
  ].join('|'),
);

/** Requirements that are separated by commas; at least one, because a namespace as a whole is no policy. */
export function isLabelSelector(text: string): boolean {
  return text.length <= maxLength && requirementsOf(text).every((part) => requirement.test(part.trim()));
}

const maxLength = 1024;

/** A comma within brackets separates values. */
function requirementsOf(text: string): readonly string[] {
  return text.split(/,(?![^(]*\))/);
}
