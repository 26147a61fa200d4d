# The page, and the way to the gateway: docker build -f deploy/docker/web.Dockerfile .

ARG BASE_IMAGE=nginxinc/nginx-unprivileged:1.28-alpine
ARG NODE_IMAGE=node:22-slim

FROM ${NODE_IMAGE} AS page
ARG NPM_CONFIG_REGISTRY
WORKDIR /web
COPY services/web/package.json services/web/package-lock.json services/web/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-progress
COPY services/web ./
RUN npm run --silent build

FROM ${BASE_IMAGE} AS server
COPY deploy/docker/web/*.template deploy/docker/web/headers.conf /etc/nginx/coaching/
COPY deploy/docker/web/*.sh LICENSE /app/
USER 101:101
EXPOSE 8080
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 CMD ["/app/healthcheck.sh"]
ENTRYPOINT ["/app/entrypoint.sh"]
CMD []

# While it is worked on (`--target dev`): the sources themselves, which may be written.
FROM server AS dev
# The folder too: a file that is synced is a new one in the place of the old.
USER 0:0
RUN chown 101:101 /usr/share/nginx/html
USER 101:101
COPY --chown=101:101 services/web /usr/share/nginx/html

FROM server AS image
COPY --from=page /web/build /usr/share/nginx/html

ARG BASE_IMAGE
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED
LABEL org.opencontainers.image.title="coaching-platform web" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
