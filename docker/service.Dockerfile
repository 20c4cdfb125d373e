# The web process and, with the command `worker`, the Celery worker.
#
#     docker build -f docker/service.Dockerfile -t mllm-cds .
#     docker run --rm -p 127.0.0.1:8000:8000 mllm-cds
FROM python:3.11-slim-bookworm AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY fhir_adapter fhir_adapter
COPY inference inference
COPY explain explain
COPY cds_hooks cds_hooks
# `demo` holds the one sample film that is not ours; no PyTorch, no compiler.
RUN /venv/bin/pip install ".[production,demo]"

FROM python:3.11-slim-bookworm

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin mllm \
    && install --directory --owner mllm --mode 700 /state
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 CDS_STATE_DIR=/state
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["mllm-cds"]
CMD ["serve", "--host", "0.0.0.0"]
