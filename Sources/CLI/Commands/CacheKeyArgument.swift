import ArgumentParser
import Executor
import PipelineIR

/// The result that a command on the cache is for.
struct CacheKeyArgument: ParsableArguments {
    @Argument(
        help: "The first digits of a key.",
        completion: .custom { _, _, _ in CacheFolder.completions() })
    var key: String

    /// Its whole key.
    func found(in cache: ActionCache) throws(Failure) -> ActionKey {
        try CacheFolder.key(key, in: cache)
    }
}
