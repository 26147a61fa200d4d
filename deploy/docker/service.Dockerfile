# The image of one Python service: docker build -f deploy/docker/service.Dockerfile --build-arg SERVICE=gateway .
# `make images` builds them all. A new service: one line below "What each service has".

ARG BASE_IMAGE=python:3.11-slim
ARG POSTGRES_IMAGE=postgres:18
ARG SERVICE

# ---------------------------------------------------------------- packages, apart from the code

FROM ${BASE_IMAGE} AS tools
# For an index of one's own; neither is in the image that comes out.
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX=${PIP_INDEX_URL}
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
SHELL ["/bin/bash", "-eu", "-o", "pipefail", "-c"]
WORKDIR /build
COPY requirements.lock ./
RUN --mount=type=cache,target=/root/.cache/pip \
    awk '/^[^ #]/ { on = /^uv==/ } on' requirements.lock >uv.lock \
    && pip install --quiet --no-deps --require-hashes --target /opt/uv --requirement uv.lock
ENV PATH=/opt/uv/bin:$PATH

# What of the lock this service needs. The next stage begins from what is printed here, so that neither another package's
# new version nor an edited pyproject.toml installs anything again.
FROM tools AS closure
ARG SERVICE
COPY libs/kit/pyproject.toml libs/kit/
COPY libs/contracts/pyproject.toml libs/contracts/
COPY services/${SERVICE}/pyproject.toml services/${SERVICE}/
COPY deploy/docker/closure.py ./
RUN --mount=type=cache,target=/root/.cache/uv python closure.py "${SERVICE}" >/service.lock

# Debug information, sources of extensions and tests are two thirds of what the wheels hold, and nothing here reads them.
FROM tools AS packages
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
COPY --from=closure /service.lock /build/service.lock
COPY deploy/docker/slim.sh ./
RUN --mount=type=cache,target=/root/.cache/uv \
    python -m venv --without-pip /opt/venv \
    && uv pip install --quiet --python /opt/venv/bin/python --no-deps --require-hashes --only-binary :all: \
      --requirement service.lock \
    && rm /opt/venv/.lock \
    && ./slim.sh /opt/venv \
    && echo /app/src >"$(echo /opt/venv/lib/python3*/site-packages)/coaching-platform.pth"

# For `skaffold dev`: what starts a service anew when its source has changed.
FROM tools AS reloader
COPY deploy/docker/closure.py ./
RUN --mount=type=cache,target=/root/.cache/uv \
    python closure.py --package watchfiles >reloader.lock \
    && uv pip install --quiet --target /opt/reloader --no-deps --require-hashes --only-binary :all: --requirement reloader.lock

# ---------------------------------------------------------------- code

FROM ${BASE_IMAGE} AS code
ARG SERVICE
COPY libs/kit/src libs/contracts/src services/${SERVICE}/src /app/src/
COPY deploy/docker/entrypoint.sh deploy/docker/healthcheck.py LICENSE /app/
# By the source's hash, not its time: a source that is synchronised into a container counts, and equal code is an equal image.
RUN python -m compileall -q --invalidation-mode checked-hash /app/src

# ---------------------------------------------------------------- what is fetched beside packages

FROM ${BASE_IMAGE} AS embedder
WORKDIR /build
COPY models.lock ./
COPY services/platformctl/src/platformctl/__init__.py platformctl/
COPY services/platformctl/src/platformctl/models/__init__.py services/platformctl/src/platformctl/models/catalog.py platformctl/models/
COPY deploy/docker/weights.py ./
RUN PYTHONPATH=. python weights.py embedder /models

# The server's own version of its client programs: pg_dump refuses a server that is newer than itself.
FROM ${POSTGRES_IMAGE} AS postgres
# hadolint ignore=DL3002,DL3066
USER root
COPY deploy/docker/programs.sh /
RUN /programs.sh /opt/postgresql-client pg_dump pg_restore psql

# ---------------------------------------------------------------- what each service has

FROM ${BASE_IMAGE} AS base
RUN groupadd --gid 10001 app && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

FROM base AS server
ENV BIND_HOST=0.0.0.0 HTTP_PORT=8000 GRPC_PORT=50051
EXPOSE 8000 50051
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["/opt/venv/bin/python", "-I", "/app/healthcheck.py"]

FROM server AS gateway
ENV SERVICE_MODULE=gateway.main

FROM server AS coaching
ENV SERVICE_MODULE=coaching.main

FROM server AS channel-adapter
ENV SERVICE_MODULE=channel_adapter.main

FROM server AS llm-inference
ENV SERVICE_MODULE=llm_inference.main
# llama.cpp computes with GNU OpenMP. Its version is the base image's distribution's.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*.log /var/log/apt

FROM server AS vector-search
# "Tokenizer" is no secret.
# hadolint ignore=DL3064
ENV SERVICE_MODULE=vector_search.main \
    EMBEDDER_MODEL_PATH=/models/all-minilm-l6-v2-int8.onnx EMBEDDER_TOKENIZER_PATH=/models/all-minilm-l6-v2-tokenizer.json
COPY --from=embedder /models /models

FROM base AS platformctl
ENV SERVICE_MODULE=platformctl.main MIGRATIONS_DIR=/app/migrations
COPY --from=postgres /opt/postgresql-client /opt/postgresql-client
COPY migrations /app/migrations
ENV PATH=/opt/postgresql-client/bin:$PATH
HEALTHCHECK NONE

# ---------------------------------------------------------------- bytecode

# Which files of packages the service loads when it starts: the others are not worth their bytecode. That it can be loaded
# at all, with what its image holds, is shown here too.
# hadolint ignore=DL3006
FROM ${SERVICE} AS loaded
COPY --from=packages /opt/venv /opt/venv
COPY --from=code /app /app
COPY deploy/docker/loaded.py /
RUN --mount=type=cache,target=/pycache env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX=/pycache \
    python -P /loaded.py "${SERVICE_MODULE}" /opt/venv >/loaded.txt

# Begins from that list, so that a code-only change finds this done.
FROM packages AS compiled
COPY --from=loaded /loaded.txt /build/
# SQLAlchemy's sources are six megabytes, most of it documentation: of what is loaded only the bytecode stays.
RUN sed '/\/sqlalchemy\//!d' loaded.txt >bare.txt && sed -i '/\/sqlalchemy\//d' loaded.txt \
    && python -m compileall -q --invalidation-mode unchecked-hash -i loaded.txt \
    && if [ -s bare.txt ]; then \
      python -m compileall -q -b --invalidation-mode unchecked-hash -i bare.txt && xargs rm <bare.txt; \
    fi

# ---------------------------------------------------------------- the image

# hadolint ignore=DL3006
FROM ${SERVICE} AS image
COPY --from=compiled /opt/venv /opt/venv
COPY --from=code /app /app
RUN ln -s /app/entrypoint.sh "/usr/local/bin/${SERVICE_MODULE%%.*}"
USER 10001:10001
ENTRYPOINT ["/app/entrypoint.sh"]

ARG SERVICE
ARG BASE_IMAGE
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED
LABEL org.opencontainers.image.title="coaching-platform ${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"

# ---------------------------------------------------------------- the same, while it is worked on: `--target dev`

FROM image AS dev
COPY --from=reloader /opt/reloader /opt/reloader
COPY --from=code --chown=10001:10001 /app/src /app/src
COPY deploy/docker/reload.sh deploy/docker/reload.py /app/
ENTRYPOINT ["/app/reload.sh"]

FROM image
