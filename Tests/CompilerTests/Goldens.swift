import Compiler
import PipelineIR
import Testing

/// The goldens of `fixtures/`.
enum Goldens {
    static let repository =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    /// A file of the repository.
    static func file(_ path: String) throws -> [UInt8] {
        guard case .content(let bytes) = try WorkingTree(repository).read(path) else {
            throw Absent(path: path)
        }
        return bytes
    }

    /// Paths of all golden plans.
    static let paths: [String] = {
        ["fixtures/compile", "fixtures/projects"].flatMap { folder -> [String] in
            guard let tree = try? WorkingTree(repository),
                case .names(let names) = tree.list(folder)
            else { return [] }
            return names.map { "\(folder)/\($0)/plan.json" }.filter {
                if case .file = tree.stat($0) { true } else { false }
            }
        }
    }()

    static func plan(_ path: String) throws -> Plan { try Plan.decode(json: file(path)) }

    private struct Absent: Error { var path: String }
}
