# A layer, and an image, with an Erlang/OTP that was built on Amazon Linux 2023: one that
# loads on the managed runtime provided.al2023. The context is the repository.
#
#   docker build -f deploy/docker/al2023.Dockerfile --target layer --output build/deploy .
#       writes build/deploy/layer.zip
#   docker build -f deploy/docker/al2023.Dockerfile --target image -t hello .
#       makes an image of examples/hello_elixir
#
# For arm64, build on an arm64 machine, or with --platform linux/arm64. For another
# function, --build-arg FUNCTION=FOLDER --build-arg HANDLER=NAME; of an image, the
# function's command is then set to that name, in ImageConfig.
ARG GO_IMAGE=golang:1.26-bookworm

FROM ${GO_IMAGE} AS tools
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/bootstrap ./cmd/bootstrap \
    && CGO_ENABLED=0 go build -trimpath -o /out/beamport ./cmd/beamport

FROM public.ecr.aws/lambda/provided:al2023 AS otp
ARG OTP_VERSION=27.3.4
ARG ELIXIR_VERSION=1.18.4
RUN dnf install -y gcc gcc-c++ make perl tar gzip unzip ncurses-devel openssl-devel zlib-devel git && dnf clean all
WORKDIR /build
# The release's own sums say whether the download is whole.
RUN curl -fsSLO "https://github.com/erlang/otp/releases/download/OTP-${OTP_VERSION}/otp_src_${OTP_VERSION}.tar.gz" \
    && curl -fsSLO "https://github.com/erlang/otp/releases/download/OTP-${OTP_VERSION}/SHA256.txt" \
    && grep " otp_src_${OTP_VERSION}.tar.gz" SHA256.txt | sha256sum -c -
RUN tar xzf "otp_src_${OTP_VERSION}.tar.gz" --strip-components=1 \
    && ./configure --prefix=/opt/erlang --without-javac --without-odbc --without-wx --without-debugger \
       --without-observer --without-et --without-megaco --disable-sctp \
    && make -j"$(nproc)" && make install && { [ ! -f system/COPYRIGHT ] || cp system/COPYRIGHT /opt/erlang/lib/erlang/; } && rm -rf /build/*
RUN curl -fsSLO "https://github.com/elixir-lang/elixir/releases/download/v${ELIXIR_VERSION}/elixir-otp-${OTP_VERSION%%.*}.zip" \
    && curl -fsSLO "https://github.com/elixir-lang/elixir/releases/download/v${ELIXIR_VERSION}/elixir-otp-${OTP_VERSION%%.*}.zip.sha256sum" \
    && sha256sum -c "elixir-otp-${OTP_VERSION%%.*}.zip.sha256sum" \
    && unzip -q "elixir-otp-${OTP_VERSION%%.*}.zip" -d /opt/elixir && rm -rf /build/*
ENV PATH=/opt/erlang/bin:/opt/elixir/bin:$PATH LANG=C.UTF-8 MIX_ENV=prod

FROM otp AS packed
ARG PRESET=elixir-tls
ARG FUNCTION=examples/hello_elixir
ARG HANDLER=HelloElixir.handle
ARG BOOT=full
COPY --from=tools /out/ /usr/local/bin/
RUN mkdir -p /out
RUN beamport layer --preset "${PRESET}" --target provided.al2023 --bootstrap /usr/local/bin/bootstrap -o /out/layer.zip
COPY ${FUNCTION} /function
RUN cd /function && if [ -f mix.exs ]; then mix local.hex --force && mix local.rebar --force && mix deps.get --only prod; fi
RUN beamport package --target provided.al2023 --handler "${HANDLER}" --boot "${BOOT}" -o /out/function.zip /function
RUN mkdir -p /image/opt /image/var/task && unzip -q /out/layer.zip -d /image/opt && unzip -q /out/function.zip -d /image/var/task

FROM scratch AS layer
COPY --from=packed /out/layer.zip /out/function.zip /

FROM public.ecr.aws/lambda/provided:al2023 AS image
# SnapStart takes images that either say so or ask for /restore/next, as the runtime does.
LABEL com.amazonaws.lambda.feature.snapstart="Allow"
COPY --from=packed /image/ /
ENTRYPOINT ["/opt/bootstrap"]
# The handler that HANDLER names above.
CMD ["HelloElixir.handle"]
