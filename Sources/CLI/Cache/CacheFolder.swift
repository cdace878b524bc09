import Executor
import Glibc

/// Opens the cache of this machine, and finds results in it by what a person calls them.
enum CacheFolder {
    /// The cache; `nil` when nothing was ever kept.
    static func openIfPresent() throws(Failure) -> ActionCache? {
        let folder = try Places().cache
        guard access("\(folder)/results.db", F_OK) == 0 else { return nil }
        return try tried { () throws(CacheError) in try ActionCache(folder) }
    }

    /// The cache. Throws when nothing was ever kept.
    static func open() throws(Failure) -> ActionCache {
        guard let cache = try openIfPresent() else {
            throw .mistake(
                "nothing is in the cache yet",
                hint: "`danube run` keeps results of steps that declare inputs= and outputs=.")
        }
        return cache
    }

    /// Says what the cache cannot do.
    static func tried<T>(_ body: () throws(CacheError) -> T) throws(Failure) -> T {
        do throws(CacheError) { return try body() } catch {
            throw .environment("the cache cannot be used: \(error)")
        }
    }

    /// The key that begins with some digits.
    static func key(_ text: String, in cache: ActionCache) throws(Failure) -> ActionKey {
        let most = 6
        let found = try tried { () throws(CacheError) in
            try cache.keys(beginningWith: text.lowercased(), most: most)
        }
        if let key = found.first, found.count == 1 { return key }
        let shown = DisplayText.escaped(text)
        if found.isEmpty {
            throw .mistake(
                "there is no result with the key `\(shown)`", hint: "`danube cache ls` lists them.")
        }
        let digits = CacheReport.digits(found.map(\.description))
        let names = found.prefix(most - 1).map { String($0.description.prefix(digits)) }
        let more = found.count == most ? ", …" : ""
        throw .mistake(
            "several keys begin with `\(shown)`",
            hint: "Name one of \(names.joined(separator: ", "))\(more).")
    }

    /// Keys for completion.
    static func completions() -> [String] {
        guard let cache = try? openIfPresent() else { return [] }
        return (try? cache.entries(most: 200).map { String($0.key.description.prefix(12)) }) ?? []
    }

    /// Bytes that the cache may take: as given, by `DANUBE_CACHE_SIZE`, or 10 GiB. `nil` for no
    /// limit, which is `0`.
    static func budget(_ given: String?, option: String) throws(Failure) -> Int64? {
        let variable = "DANUBE_CACHE_SIZE"
        let (text, name) =
            given.map { ($0, option) } ?? (Terminal.environment(variable) ?? "", variable)
        if text.isEmpty { return CacheUsage.defaultBudget }
        if text == "0" { return nil }
        return Int64(try LimitOptions.size(text, option: name))
    }
}
