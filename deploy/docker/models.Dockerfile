# Weights for the embedded engine. Pods reach no network, so that the chart's init container copies them from here:
# `args: [/models]` puts every *.gguf of the image into the folder mounted there. MODEL: small, or default (1.1 GB).

ARG BASE_IMAGE=debian:bookworm-slim
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS weights
ARG PIP_INDEX_URL
ARG MODEL=small
WORKDIR /build
COPY models.lock ./
COPY services/platformctl/src/platformctl/__init__.py platformctl/
COPY services/platformctl/src/platformctl/models/__init__.py services/platformctl/src/platformctl/models/catalog.py platformctl/models/
COPY deploy/docker/weights.py ./
RUN PYTHONPATH=. python weights.py "${MODEL}" /models

FROM ${BASE_IMAGE}
COPY --from=weights /models /models
COPY LICENSE /models/LICENSE
USER 10001:10001
HEALTHCHECK NONE
ENTRYPOINT ["/bin/cp", "-R", "/models/."]

ARG BASE_IMAGE
ARG MODEL=small
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED
LABEL org.opencontainers.image.title="coaching-platform models (${MODEL})" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
