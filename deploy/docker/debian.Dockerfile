# An image for a function on Debian slim, with Debian's own Erlang and Elixir: nothing is
# compiled but the function. The context is the repository.
#
#   docker build -f deploy/docker/debian.Dockerfile -t hello .
#
# For another function, --build-arg FUNCTION=FOLDER --build-arg HANDLER=NAME; the
# function's command is then set to that name, in ImageConfig.
ARG GO_IMAGE=golang:1.26-bookworm

FROM ${GO_IMAGE} AS tools
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/bootstrap ./cmd/bootstrap \
    && CGO_ENABLED=0 go build -trimpath -o /out/beamport ./cmd/beamport

FROM debian:12-slim AS packed
ARG PRESET=elixir-tls
ARG FUNCTION=examples/hello_elixir
ARG HANDLER=HelloElixir.handle
ARG BOOT=full
RUN apt-get update && apt-get install -y --no-install-recommends erlang-base erlang-dev erlang-nox elixir ca-certificates git unzip && rm -rf /var/lib/apt/lists/*
ENV LANG=C.UTF-8 MIX_ENV=prod
COPY --from=tools /out/ /usr/local/bin/
RUN mkdir -p /out
RUN beamport layer --preset "${PRESET}" --target image --bootstrap /usr/local/bin/bootstrap -o /out/layer.zip
COPY ${FUNCTION} /function
RUN cd /function && if [ -f mix.exs ]; then mix local.hex --force && mix local.rebar --force && mix deps.get --only prod; fi
RUN beamport package --target image --handler "${HANDLER}" --boot "${BOOT}" -o /out/function.zip /function
RUN mkdir -p /image/opt /image/var/task && unzip -q /out/layer.zip -d /image/opt && unzip -q /out/function.zip -d /image/var/task

FROM debian:12-slim
# SnapStart takes images that either say so or ask for /restore/next, as the runtime does.
LABEL com.amazonaws.lambda.feature.snapstart="Allow"
RUN apt-get update && apt-get install -y --no-install-recommends libstdc++6 libtinfo6 zlib1g ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=packed /image/ /
ENV LAMBDA_TASK_ROOT=/var/task
ENTRYPOINT ["/opt/bootstrap"]
# The handler that HANDLER names above.
CMD ["HelloElixir.handle"]
