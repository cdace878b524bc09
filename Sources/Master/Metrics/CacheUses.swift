internal import Synchronization

/// Counts who asked the cache for others, and what they got.
final class CacheUses: Sendable {
    /// What is asked for.
    enum Kind: String, CaseIterable {
        case contents, results
    }

    private struct Count {
        var hits = 0
        var misses = 0
    }

    private let counts = Mutex<[Kind: Count]>([:])

    /// Counts that something was there, or was not.
    func count(_ kind: Kind, isHit: Bool) {
        counts.withLock { counts in
            counts[kind, default: Count()].hits += isHit ? 1 : 0
            counts[kind, default: Count()].misses += isHit ? 0 : 1
        }
    }

    /// Writes the figures.
    func write(to text: inout MetricsText) {
        let counts = counts.withLock { $0 }
        text.begin(
            "danube_cache_requests_total", .counter,
            "What others asked their cache for since the master began.")
        for kind in Kind.allCases {
            let count = counts[kind] ?? Count()
            let name = ("kind", kind.rawValue)
            text.add([name, ("result", "hit")], Double(count.hits))
            text.add([name, ("result", "miss")], Double(count.misses))
        }
    }
}
