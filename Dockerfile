# Scopegate as an image: the compiled sources, production dependencies and Node; no shell, no package manager, no root.
#
#   docker build --tag scopegate/scopegate .
#   docker run --volume "$PWD/policy.yaml:/policy.yaml:ro" scopegate/scopegate serve --policy /policy.yaml
#
# Any base with Node 24 or later at /nodejs/bin/node will do. Pin it by digest where you deploy: --build-arg BASE=…@sha256:…
ARG BUILD=node:24-trixie-slim
ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILD} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# No package needs its install script here: this image brings Node.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM ${BASE}
LABEL org.opencontainers.image.title="scopegate" \
      org.opencontainers.image.description="Envoy external authorizer for OAuth 2.1 and OpenID Connect" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
# Owned by root and run by another user: the process cannot change its own code.
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
USER 65532:65532
# Check and health; /livez, /readyz and /metrics. Both listen on loopback until --grpc and --admin (or SCOPEGATE_GRPC and
# SCOPEGATE_ADMIN) say otherwise: right beside Envoy in one pod, and to be set where Envoy is elsewhere.
EXPOSE 9001 9002
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js"]
CMD ["serve"]
