/// What a job was asked for, as words of `danube run`, in the folder of the job: `danube rerun`
/// asks for the same.
///
/// Secrets are never among them.
package enum JobOrder {
    private static let name = "order"
    private static let mostBytes: Int64 = 1 << 20

    /// Writes the words into a job's folder.
    static func write(_ words: [String], to folder: String) throws(CacheError) {
        let bytes = words.flatMap { $0.utf8.filter { $0 != 0 } + [0] }
        try AtomicFile.write(bytes, to: "\(folder)/\(name)")
    }

    /// Reads the words; `nil` when the job has none.
    package static func read(_ folder: String) -> [String]? {
        guard let bytes = AtomicFile.read("\(folder)/\(name)", most: mostBytes), bytes.last == 0
        else { return nil }
        return bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
