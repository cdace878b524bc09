internal import Hummingbird

/// Whether a client takes answers that are compressed (RFC 9110, section 12.5.3).
enum AcceptedEncoding {
    /// Whether the header `Accept-Encoding` allows gzip.
    static func takesGzip(_ header: String?) -> Bool {
        var any = false
        for part in (header ?? "").split(separator: ",") {
            let words = part.split(separator: ";").map { word in
                String(word.filter { $0 != " " && $0 != "\t" }).lowercased()
            }
            guard let name = words.first else { continue }
            let isRefused = words.dropFirst().contains { word in
                word.hasPrefix("q=") && (Double(word.dropFirst(2)) ?? 0) <= 0
            }
            if name == "gzip" || name == "x-gzip" { return !isRefused }
            if name == "*" { any = !isRefused }
        }
        return any
    }
}
