internal import Glibc

internal import struct Executor.Timestamp

/// Finds mirrors that were not used for long, and those with so many packs that git is slow. It
/// changes nothing; it waits for the disk.
struct MirrorSurvey {
    /// The folder of mirrors.
    let folder: String
    let rules: ReapRules
    let now: Timestamp

    /// Every fetch that brings something makes a pack.
    static let mostPacks = 50

    /// What goes, or is made smaller.
    func items() -> [ReapItem] {
        let limit = now.sinceEpoch.subtractingReportingOverflow(rules.mirrors).partialValue
        var items: [ReapItem] = []
        for name in Self.names(in: folder) {
            let path = "\(folder)/\(name)"
            guard let facts = try? FileFacts(of: path), facts.kind == .folder else { continue }
            if facts.modified.sinceEpoch < limit {
                items.append(
                    ReapItem(
                        kind: .mirrors, name: name, bytes: FolderSize.bytes(path), reason: .age))
            } else if Self.packs(path) > Self.mostPacks {
                items.append(
                    ReapItem(
                        kind: .packs, name: name, bytes: FolderSize.bytes("\(path)/objects"),
                        reason: .size))
            }
        }
        return items
    }

    static func packs(_ mirror: String) -> Int {
        names(in: "\(mirror)/objects/pack").count { $0.hasSuffix(".pack") }
    }

    private static func names(in path: String) -> [String] {
        let root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard root >= 0 else { return [] }
        defer { close(root) }
        let entries = (try? FolderListing(root: root, path: []))?.entries ?? []
        return entries.map { String(decoding: $0.name, as: UTF8.self) }
    }
}
