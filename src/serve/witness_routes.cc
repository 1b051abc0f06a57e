#include "serve/witness_routes.h"

namespace hygie::serve {

HttpServer::Handler witness_routes(ledger::Witness& witness) {
    return [&witness](const Request& request) {
        // The server leaves the body out for HEAD: the witness need not know it.
        const std::string_view method =
            request.method == "HEAD" ? "GET" : std::string_view(request.method);
        const ledger::WitnessAnswer answer =
            witness.handle(method, request.path, as_text(request.body));
        Response response = text_response(answer.status, answer.body);
        response.content_type = answer.content_type;
        return response;
    };
}

HttpLimits witness_limits() {
    HttpLimits limits;
    limits.body_bytes_max = ledger::kWitnessRequestBytesMax;
    return limits;
}

}  // namespace hygie::serve
