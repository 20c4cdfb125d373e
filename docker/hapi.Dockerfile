# HAPI FHIR with something to check its health by: the image has no shell and no HTTP client of its own.
# 8.8.0 is the release that the integration tests run.
FROM hapiproject/hapi:v8.8.0-1

COPY --from=busybox:1.37.0-musl /bin/busybox /busybox
HEALTHCHECK --interval=10s --timeout=8s --start-period=180s --retries=3 \
    CMD ["/busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/fhir/metadata"]
