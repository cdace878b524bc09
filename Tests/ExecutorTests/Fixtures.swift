import Glibc
import PipelineIR
import Testing

/// The plans of `fixtures/compile`.
enum Fixtures {
    static let folder =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        + "/fixtures/compile"

    /// Names of the fixtures that have a plan.
    static let names: [String] = {
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if access("\(folder)/\(name)/plan.json", R_OK) == 0 { names.append(name) }
        }
        return names.sorted()
    }()

    static func plan(_ name: String) throws -> Plan {
        try Plan.decode(json: bytes("\(folder)/\(name)/plan.json"))
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY)
        try #require(file >= 0, "\(path)")
        defer { close(file) }
        var found: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(file, &chunk, chunk.count), count > 0 {
            found += chunk[..<count]
        }
        return found
    }
}
