import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { translatePath } from '../../../src/openapi/path-template.ts';
import { PatternRefusal, parsePathPattern } from '../../../src/policy/path-pattern.ts';

const exact: Readonly<Record<string, [path: string, text: string]>> = {
  'a literal path: as it is': ['/pets/mine', '/pets/mine'],
  'the root: as it is': ['/', '/'],
  'EA-62 a trailing slash: kept': ['/pets/', '/pets/'],
  'a template: a template': ['/pets/{id}/toys/{toy}', '/pets/{id}/toys/{toy}'],
  'a name that is no identifier: made one': ['/{pet-id}/{1st}/{größe}', '/{pet_id}/{p_1st}/{gr__e}'],
  'two names that become one: told apart': ['/{a-b}/{a_b}/{a.b}', '/{a_b}/{a_b_2}/{a_b_3}'],
  'JWT-14 a name that policies reserve: another': ['/{constructor}/{__proto__}', '/{p_constructor}/{p___proto__}'],
  'no name: one is given': ['/{}', '/{p_}'],
  'a slash inside a name: no end of the segment': ['/{a/b}/c', '/{a_b}/c'],
  'a mark of a query inside a name: no end of the path': ['/{a?}/c', '/{a_}/c'],
  'EA-61 an escape: in its canonical spelling': ['/%7euser/a%c3%a9', '/~user/a%C3%A9'],
  'text beyond ASCII: escaped': ['/café', '/caf%C3%A9'],
  'a space: escaped': ['/a b', '/a%20b'],
};

const wider: Readonly<Record<string, [path: string, text: string]>> = {
  'a template inside a segment: the whole segment': ['/files/{name}.json', '/files/{segment}'],
  'two templates in a segment: the whole segment': ['/{a}-{b}/c', '/{segment}/c'],
  'a custom verb: the whole segment': ['/v1/{name}:cancel', '/v1/{segment}'],
  'a star: the whole segment': ['/files/*', '/files/{segment}'],
  'a brace that is not closed: the whole segment': ['/a/{id', '/a/{segment}'],
  'a query: the path before it': ['/search?type={t}', '/search'],
  'a fragment: the path before it': ['/a#create', '/a'],
  'EA-63 a path parameter: the whole segment': ['/a;v=1/b', '/{segment}/b'],
  'EA-61 an escaped slash: the whole segment': ['/a%2Fb', '/{segment}'],
  'EA-61 a dot segment: the whole segment': ['/a/../b', '/a/{segment}/b'],
};

describe('a path of a document', () => {
  it.each(Object.entries(exact))('%s', (_name, [path, text]) => {
    expect(translatePath(path)).toMatchObject({ text, isExact: true });
  });

  it.each(Object.entries(wider))(
    'that a policy has no word for, %s, and no request is allowed for it',
    (_name, [path, text]) => {
      expect(translatePath(path)).toMatchObject({ text, isExact: false });
    },
  );

  it.each(['pets', '', '//pets', '/a//b', '{a}/b'])('%j: no request can have it', (path) => {
    expect(translatePath(path)).toBeUndefined();
  });

  it.each(['/{proxy+}', '/{path*}', '/{path:.*}'])('%s: by its name more than one segment', (path) => {
    expect(translatePath(path)).toMatchObject({ isExact: true, isGreedy: true });
  });

  it('whatever it is: a path of a policy, or none', () => {
    const piece = fc.oneof(fc.constantFrom('/', '{', '}', '{a}', '%', '..', '*', ';', '?', 'é', 'x'), fc.string());
    const path = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`);
    fc.assert(
      fc.property(path, (text) => {
        const translated = translatePath(text);
        if (translated !== undefined) {
          expect(parsePathPattern(translated.text, 'reject')).not.toBeInstanceOf(PatternRefusal);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
