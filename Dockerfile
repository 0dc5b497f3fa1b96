# The manager alone: a static binary and the certificate authorities it trusts.
#
#   make docker-build IMG=my-registry/inventory-operator:v1
#
# Another base, such as a distroless one, goes by --build-arg BASE=...
ARG GO_VERSION=1.26
ARG BASE=scratch

# Compiles on the machine's own platform, for the platform asked for.
FROM --platform=${BUILDPLATFORM} golang:${GO_VERSION} AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION
WORKDIR /src
# Modules first: this layer is kept while only code changes.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN GOOS=${TARGETOS:-linux} GOARCH=${TARGETARCH} VERSION="${VERSION}" \
    hack/build /manager -trimpath -buildvcs=false

FROM ${BASE}
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /manager /manager
# "nonroot" in distroless images; a number, so that runAsNonRoot can be checked.
USER 65532:65532
ENTRYPOINT ["/manager"]
