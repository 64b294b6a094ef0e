/**
 * Promises: a worker's questions to the primary, each answered once; one that is not answered in time, or no more, has the answer undefined.
 */
import { createBatch } from './batch.ts';
import type { Answer, Numbered, Question } from './message.ts';

export interface Questions {
  /** Waits at most so long. Never rejects. */
  ask(about: Question, waitMs: number): Promise<Answer | undefined>;
  answered(answers: readonly Numbered<Answer>[]): void;
}

export interface QuestionPorts {
  readonly send: (questions: readonly Numbered<Question>[]) => void;
  /** Calls back once, after so many milliseconds; returns what calls it off. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
}

export function createQuestions({ send, schedule }: QuestionPorts): Questions {
  const open = new Map<number, (answer: Answer | undefined) => void>();
  const say = createBatch(send);
  let last = 0;
  return {
    ask: (about, waitMs) => {
      last += 1;
      const id = last;
      const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
      const callOff = schedule(() => end(undefined), waitMs);
      function end(answer: Answer | undefined): void {
        callOff();
        open.delete(id);
        resolve(answer);
      }
      open.set(id, end);
      say({ id, about });
      return promise;
    },
    answered: (answers) => {
      for (const { id, about } of answers) open.get(id)?.(about);
    },
  };
}
