# kolaboree-node in a container: no capability, no device, no root. The base images are arguments, so that a mirror or
# an image of your own can take their place.
#
#   docker build -t kolaboree-node .
#   docker build -t kolaboree-sandbox --target sandbox .     # a tailnet to try it with; never for real use

ARG RUST_IMAGE=rust:1-bookworm
ARG GO_IMAGE=golang:1.26-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${GO_IMAGE} AS go

FROM ${RUST_IMAGE} AS source
COPY --from=go /usr/local/go /usr/local/go
ENV PATH=/usr/local/go/bin:$PATH
WORKDIR /src
COPY . .

FROM source AS build
RUN cargo build --release --locked --bin kolaboree-node \
 && mkdir -p /out/lib && mkdir -m 700 /out/lib/kolaboree-node \
 && cp target/release/kolaboree-node /out/ \
 && cp /etc/ssl/certs/ca-certificates.crt /out/

# On top of that stage, whose dependencies are compiled.
FROM build AS build-sandbox
RUN cargo build --release --locked --example sandbox \
 && mkdir /out/demo \
 && cp target/release/examples/sandbox /out/ \
 && cp "$(find target/release/build -path '*/out/tailnet-sandbox' | head -n 1)" /out/tailnet-sandbox

# Everything in it is loopback: the node that tries it shares its network.
FROM ${RUNTIME_IMAGE} AS sandbox
COPY --from=build-sandbox /out/sandbox /out/tailnet-sandbox /usr/local/bin/
COPY --from=build-sandbox --chown=65534:65534 /out/demo /demo
ENV TAILNET_SANDBOX_PROGRAM=/usr/local/bin/tailnet-sandbox TS_NO_LOGS_NO_SUPPORT=true
USER 65534:65534
VOLUME /demo
ENTRYPOINT ["/usr/local/bin/sandbox", "--state-dir", "/var/lib/kolaboree-node"]
CMD ["/demo"]
HEALTHCHECK --interval=2s --timeout=2s --start-period=60s CMD ["/usr/bin/test", "-f", "/demo/kolaboree.yaml"]

FROM ${RUNTIME_IMAGE} AS node
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/kolaboree-node /usr/local/bin/kolaboree-node
# A volume takes its owner and its mode from here.
COPY --from=build --chown=65534:65534 /out/lib/ /var/lib/
ENV TS_STATE_DIR=/var/lib/kolaboree-node
# kolaboree.yaml is read from here, where it is mounted.
WORKDIR /etc/kolaboree
USER 65534:65534
VOLUME /var/lib/kolaboree-node
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/kolaboree-node"]
CMD ["run"]
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["/usr/local/bin/kolaboree-node", "health", "--ready"]
