# Triton Inference Server with the model of a checkpoint; on the GPU where the container is given one.
#
#     docker build -f docker/triton.Dockerfile -t mllm-cds-triton .
#
# 24.10 is the server release 2.51.0 that the integration tests run.
FROM nvcr.io/nvidia/tritonserver:24.10-py3

ARG CHECKPOINT=inference/checkpoints/paediatric-pneumonia

COPY docker/triton/requirements.txt /tmp/requirements.txt
RUN pip3 install --no-cache-dir -r /tmp/requirements.txt && rm /tmp/requirements.txt

COPY docker/triton/canary.py /opt/canary.py
COPY docker/triton/mllm/config.pbtxt /models/mllm/config.pbtxt
COPY inference/backends/triton_model.py /models/mllm/1/model.py
COPY ${CHECKPOINT}/model.onnx /models/mllm/1/model.onnx

# The user `triton-server` of the base image.
USER 1000
EXPOSE 8000 8001 8002
# The base image's default is "ready", which a server whose model has died still says of itself.
HEALTHCHECK --interval=15s --timeout=12s --start-period=60s --retries=3 \
    CMD ["python3", "/opt/canary.py", "http://127.0.0.1:8000", "1"]
CMD ["tritonserver", "--model-repository=/models", "--exit-timeout-secs=3", \
     "--backend-config=python,shm-default-byte-size=4194304"]
