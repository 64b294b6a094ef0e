# Scopegate as an image: the program in a few files, Node and nothing else; no shell, no package manager, no root.
#
#   docker build --tag scopegate/scopegate .
#   docker run --volume "$PWD/policy.yaml:/policy.yaml:ro" scopegate/scopegate serve --policy /policy.yaml
#
# Any base with Node 24 or later at /nodejs/bin/node will do. Pin it by digest where you deploy: --build-arg BASE=…@sha256:…
# More in docs/image.md.
ARG BUILD=node:24-trixie-slim
ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILD} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# No package needs its install script to be bundled. Where a registry of your own is used: --secret id=npmrc,src=$HOME/.npmrc
RUN --mount=type=secret,id=npmrc,target=/run/npmrc NPM_CONFIG_USERCONFIG=/run/npmrc npm ci --ignore-scripts
COPY LICENSE ./
COPY deploy/image deploy/image
COPY src src
RUN node deploy/image/bundle.ts

# What V8 compiles of it, by the very Node that will read it, and as the user that will: both are part of the cache's name.
FROM ${BASE} AS compiled
WORKDIR /app
COPY --from=build /build/dist-bundle ./
COPY deploy/image/compile-cache.ts /tmp/compile-cache.ts
USER 65532:65532
RUN ["/nodejs/bin/node", "/tmp/compile-cache.ts", "/app/dist", "/tmp/compile-cache"]

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="scopegate" \
      org.opencontainers.image.description="Envoy external authorizer for OAuth 2.1 and OpenID Connect" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/compile-cache
WORKDIR /app
# Owned by root and run by another user: the process cannot change its own code.
COPY --chown=0:0 --from=build /build/dist-bundle ./
COPY --chown=0:0 --from=compiled /tmp/compile-cache compile-cache
USER 65532:65532
# Check and health; /livez, /readyz and /metrics. Both listen on loopback until --grpc and --admin (or SCOPEGATE_GRPC and
# SCOPEGATE_ADMIN) say otherwise: right beside Envoy in one pod, and to be set where Envoy is elsewhere.
EXPOSE 9001 9002
# V8 lets its young generation grow to 100 MiB and more under load; 16 MiB each way costs no time that can be measured (docs/performance.md).
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=16", "/app/dist/main.js"]
CMD ["serve"]
