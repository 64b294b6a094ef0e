/** Values that must be refused, and what the person who wrote them has to read. */

export interface BadValues {
  readonly values: string;
  readonly says: RegExp;
}

/** Refused by values.schema.json. */
export const badValues: Readonly<Record<string, BadValues>> = {
  'a key that does not exist: named': {
    values: 'replicaCount: 3',
    says: /additional properties 'replicaCount' not allowed/,
  },
  'a key one level too high: named': { values: 'webhook: { enabled: true }', says: /additional properties 'webhook'/ },
  'an unknown mode: the modes are listed': {
    values: 'policy: { mode: configmap }',
    says: /\/policy\/mode.*'watch', 'selector', 'file'/,
  },
  'a text where a switch is wanted': { values: 'policy: { keep: "no" }', says: /\/policy\/keep.*want boolean/ },
  'no replicas: would deny everything': { values: 'replicas: 0', says: /\/replicas.*minimum/ },
  'a document that would never be read': {
    values: 'policy: { documents: { policy.txt: "x" } }',
    says: /\/policy\/documents.*policy\.txt/,
  },
  'an empty document': {
    values: 'policy: { documents: { policy.yaml: "" } }',
    says: /\/policy\/documents\/policy\.yaml/,
  },
  'a source with a space, which would be two': {
    values: 'policy: { extraSources: ["/a /b"] }',
    says: /\/policy\/extraSources\/0.*pattern/,
  },
  'a source that the Role would not let it read': {
    values: 'policy: { extraSources: ["configmap:other/policy"] }',
    says: /\/policy\/extraSources\/0.*pattern/,
  },
  'no labels for the selector: would be every ConfigMap': {
    values: 'policy: { mode: selector, matchLabels: { scopegate.dev/policy: null } }',
    says: /\/policy\/matchLabels/,
  },
  'a misspelled option of serve': {
    values: 'options: { jwks-refesh: 5m }',
    says: /\/options.*additional properties 'jwks-refesh'/,
  },
  'an option that has a value of its own': { values: 'options: { grpc: "0.0.0.0:1" }', says: /\/options.*'grpc'/ },
  'a duration without a unit': { values: 'options: { jwks-refresh: "300" }', says: /\/options\/jwks-refresh.*pattern/ },
  'an unknown log level': { values: 'options: { log-level: verbose }', says: /\/options\/log-level.*'debug'/ },
  'a digest that is none': { values: 'image: { digest: latest }', says: /\/image\/digest.*pattern/ },
  'a tag in the repository': { values: 'image: { repository: "scopegate:1" }', says: /\/image\/repository.*pattern/ },
  'an unknown kind of TLS': { values: 'tls: { mode: mtls }', says: /\/tls\/mode.*'none', 'server', 'mutual'/ },
  'an issuer without a name': {
    values: 'tls: { certManager: { issuerRef: { kind: ClusterIssuer } } }',
    says: /\/tls\/certManager\/issuerRef.*name/,
  },
  'nobody may ask': {
    values: 'networkPolicy: { enabled: true, grpcFrom: [] }',
    says: /\/networkPolicy\/grpcFrom.*minItems/,
  },
  'a peer that is everybody': {
    values: 'networkPolicy: { enabled: true, grpcFrom: [{}] }',
    says: /\/networkPolicy\/grpcFrom\/0.*minProperties/,
  },
  'a webhook that waits longer than API servers do': {
    values: 'admission: { webhook: { timeoutSeconds: 60 } }',
    says: /\/admission\/webhook\/timeoutSeconds.*maximum/,
  },
  root: { values: 'podSecurityContext: { runAsUser: 0 }', says: /\/podSecurityContext\/runAsUser.*minimum/ },
  'a user that may be root': {
    values: 'podSecurityContext: { runAsNonRoot: false }',
    says: /\/podSecurityContext\/runAsNonRoot/,
  },
  'no seccomp': {
    values: 'podSecurityContext: { seccompProfile: { type: Unconfined } }',
    says: /\/podSecurityContext\/seccompProfile\/type.*'RuntimeDefault'/,
  },
  'a writable root': { values: 'securityContext: { readOnlyRootFilesystem: false }', says: /\/readOnlyRootFilesystem/ },
  'a capability': {
    values: 'securityContext: { capabilities: { drop: [ALL], add: [NET_ADMIN] } }',
    says: /\/securityContext\/capabilities.*additional properties 'add'/,
  },
  escalation: { values: 'securityContext: { allowPrivilegeEscalation: true }', says: /\/allowPrivilegeEscalation/ },
  'a folder of the node': {
    values: 'extraVolumes: [{ name: a, hostPath: { path: / } }]',
    says: /\/extraVolumes\/0/,
  },
  'a memory limit in a unit of which no heap can be computed': {
    values: 'resources: { limits: { memory: 256M } }',
    says: /\/resources\/limits\/memory.*pattern/,
  },
  'an address that is none of its own': { values: 'listenHost: scopegate', says: /\/listenHost.*'0\.0\.0\.0'/ },
  'a budget of nothing, which would block every node': {
    values: 'podDisruptionBudget: { maxUnavailable: 0 }',
    says: /\/podDisruptionBudget\/maxUnavailable.*minimum/,
  },
};

/** Each value alone is fine; refused by the templates, in words. */
export const contradictions: Readonly<Record<string, BadValues & { readonly version?: string }>> = {
  'TLS without a certificate': {
    values: 'tls: { mode: mutual }',
    says: /tls\.mode: mutual needs a certificate: set tls\.secretName, or tls\.certManager\.enabled: true/,
  },
  'certificates that nobody uses': {
    values: 'tls: { certManager: { enabled: true } }',
    says: /certificates that nobody uses while tls\.mode is none/,
  },
  'open to the outside without client certificates': {
    values: 'service: { type: LoadBalancer }\ntls: { mode: server, secretName: a }',
    says: /service\.type: LoadBalancer is reachable from outside.*tls\.mode: mutual/,
  },
  'a mounted ConfigMap of another namespace': {
    values: 'policy: { mode: file, namespace: other }',
    says: /policy\.namespace: a ConfigMap of another namespace cannot be mounted/,
  },
  'a name where labels choose': {
    values: 'policy: { mode: selector, existingConfigMap: mine }',
    says: /policy\.existingConfigMap: with policy\.mode: selector the labels choose/,
  },
  'two places for one policy': {
    values: 'policy: { existingConfigMap: mine, documents: { policy.yaml: "rules: []" } }',
    says: /policy\.documents and policy\.existingConfigMap/,
  },
  'a policy in a namespace that is not of the release': {
    values: 'policy: { namespace: other, documents: { policy.yaml: "rules: []" } }',
    says: /policy\.documents: a release writes its policy into its own namespace only/,
  },
  'more pods at least than at most': {
    values: 'autoscaling: { enabled: true, minReplicas: 12 }',
    says: /autoscaling: minReplicas 12 is more than maxReplicas 10/,
  },
  'injection where the API server cannot do it': {
    values: 'injection: { enabled: true }',
    version: '1.35.4',
    says: /injection\.enabled: true needs Kubernetes 1\.36.*has v1\.35\.4/,
  },
  'an admission policy where the API server has none': {
    values: 'admission: { validatingAdmissionPolicy: { enabled: true } }',
    version: '1.29.0',
    says: /admission\.validatingAdmissionPolicy\.enabled: true needs Kubernetes 1\.30/,
  },
};
