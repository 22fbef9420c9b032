//! A body that no ready-made refusal can be made of needs a response of its own.
use http::{Request, Response};
use tower_jwt_session::JwtSessionLayer;
use tower_layer::Layer;
use tower_service::Service;

struct Frames;

fn mount<S>(layer: JwtSessionLayer, inner: S)
where
    S: Service<Request<()>, Response = Response<Frames>> + Clone,
{
    serve(layer.layer(inner));
}

fn serve(_: impl Service<Request<()>>) {}

fn main() {}
