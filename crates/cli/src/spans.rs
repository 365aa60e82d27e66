//! What each step of a night took, as spans for an OpenTelemetry collector, where the standard variable
//! `OTEL_EXPORTER_OTLP_ENDPOINT` names one.

use std::env;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use tokio::runtime::Handle;

/// Variables of the standard that name a collector.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// Sends spans until it is ended.
pub(crate) struct Spans(SdkTracerProvider);

impl Spans {
    /// `None` where no collector is named.
    pub(crate) fn start(runtime: &Handle) -> anyhow::Result<Option<Self>> {
        if ENDPOINTS.iter().all(|name| env::var_os(name).is_none_or(|value| value.is_empty())) {
            return Ok(None);
        }
        let sender = Sender { client: xunjian_alert::client()?, runtime: runtime.clone() };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(sender)
            .with_protocol(Protocol::HttpJson)
            .build()?;
        let resource = Resource::builder().with_service_name("xunjian").build();
        Ok(Some(Self(
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build(),
        )))
    }

    pub(crate) fn tracer(&self) -> Tracer {
        self.0.tracer("xunjian")
    }

    /// Sends what is left.
    pub(crate) fn end(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the collector did not take the spans");
        }
    }
}

/// The exporter has a thread of its own; what it sends is sent by the program's runtime.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request.try_into()?).await?;
            let status = answer.status();
            let mut response = Response::new(answer.bytes().await?);
            *response.status_mut() = status;
            Ok(response)
        });
        sent.await?
    }
}
