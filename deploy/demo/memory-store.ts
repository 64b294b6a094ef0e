/**
 * Promises: what the demo's OAuth server has to remember between two requests of a login (`oidc-provider` calls this an adapter,
 * and makes one for each kind of thing). Nothing is kept on disk and nothing is evicted: a demo remembers a handful of logins.
 */
interface Stored {
  readonly grantId?: string;
  readonly uid?: string;
  readonly userCode?: string;
  readonly consumed?: number;
}

export class MemoryStore {
  readonly #things = new Map<string, Stored>();

  async upsert(id: string, thing: Stored): Promise<void> {
    this.#things.set(id, thing);
  }

  async find(id: string): Promise<Stored | undefined> {
    return this.#things.get(id);
  }

  async findByUid(uid: string): Promise<Stored | undefined> {
    return this.#first((thing) => thing.uid === uid);
  }

  async findByUserCode(userCode: string): Promise<Stored | undefined> {
    return this.#first((thing) => thing.userCode === userCode);
  }

  async consume(id: string): Promise<void> {
    this.#things.set(id, { ...this.#things.get(id), consumed: Math.floor(Date.now() / 1000) });
  }

  async destroy(id: string): Promise<void> {
    this.#things.delete(id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [id, thing] of this.#things) {
      if (thing.grantId === grantId) this.#things.delete(id);
    }
  }

  #first(isWanted: (thing: Stored) => boolean): Stored | undefined {
    return [...this.#things.values()].find(isWanted);
  }
}
