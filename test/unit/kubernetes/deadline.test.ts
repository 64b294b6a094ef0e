/**
 * A deadline ends what is too slow, follows its parent, and leaves nothing behind.
 */
import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { createDeadline } from '../../../src/kubernetes/deadline.ts';
import { createTestClock } from './subject.ts';

it('time is over: aborted with the last reason that was given', () => {
  const clock = createTestClock();
  const deadline = createDeadline(clock.ports, new AbortController().signal);
  const { signal } = deadline;
  deadline.extend(100, 'no connection');
  clock.advance(99);
  deadline.extend(100, 'no answer');
  clock.advance(99);
  expect(signal.aborted).toBe(false);
  clock.advance(1);
  expect(signal.reason).toMatchObject({ reason: 'no answer' });
});

it('the parent aborts: so does this, with its reason', () => {
  const parent = new AbortController();
  const { signal } = createDeadline(createTestClock().ports, parent.signal);
  parent.abort('stopped');
  expect(signal.reason).toBe('stopped');
});

it('the parent has aborted before: so has this', () => {
  expect(createDeadline(createTestClock().ports, AbortSignal.abort('stopped')).signal.reason).toBe('stopped');
});

it('disposed: no timer, nothing that the parent holds on to', () => {
  const clock = createTestClock();
  const parent = new AbortController();
  const deadline = createDeadline(clock.ports, parent.signal);
  deadline.extend(100, 'late');
  expect(getEventListeners(parent.signal, 'abort')).toHaveLength(1);
  deadline.dispose();
  expect(getEventListeners(parent.signal, 'abort')).toEqual([]);
  expect(clock.delays()).toEqual([]);
});
