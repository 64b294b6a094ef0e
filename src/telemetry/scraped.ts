/**
 * Promises: metrics whose values are asked for when Prometheus asks, so that keeping them costs no more than a variable.
 */
import { Counter, Gauge, type Registry } from 'prom-client';

interface Description {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
}

/** Every series that exists at the moment; one that is not among them is not shown. */
type Samples = () => Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>;

export function scrapedCounter(registry: Registry, description: Description, samples: Samples): void {
  registry.registerMetric(
    new Counter({
      ...description,
      registers: [],
      collect() {
        this.reset();
        for (const [labels, value] of samples()) {
          this.inc(labels, value);
        }
      },
    }),
  );
}

export function scrapedGauge(registry: Registry, description: Description, samples: Samples): void {
  registry.registerMetric(
    new Gauge({
      ...description,
      registers: [],
      collect() {
        this.reset();
        for (const [labels, value] of samples()) {
          this.set(labels, value);
        }
      },
    }),
  );
}
