import Executor
import PipelineIR

/// Differences between two results in JSON.
enum ChangeJSON {
    /// `[{"kind":"input","new":"sha256…","old":"…","path":"src/x.c","text":"…"},…]`.
    static func put(_ changes: [ManifestChange], _ json: inout JSONWriter) {
        json.beginArray()
        for change in changes {
            json.beginObject()
            json.key("kind")
            switch change {
            case .fact(let kind, let name, let old, let new):
                json.string("\(kind)")
                if !name.isEmpty { text("name", name, &json) }
                // Versions of secrets say nothing, and are nobody's business.
                if kind != .secret {
                    text("new", new, &json)
                    text("old", old, &json)
                }
            case .input(let path, let old, let new):
                json.string("input")
                text("new", new.map(value), &json)
                text("old", old.map(value), &json)
                text("path", path.text, &json)
            }
            text("text", ChangeText.line(change), &json)
            json.endObject()
        }
        json.endArray()
    }

    /// A file by its digest, a link by its target.
    private static func value(_ node: FileTree.Node) -> String {
        switch node {
        case .file(let digest, _, let isExecutable): digest.hex + (isExecutable ? " x" : "")
        case .link(let target): "-> " + String(decoding: target, as: UTF8.self)
        case .folder: "/"
        }
    }

    private static func text(_ key: StaticString, _ text: String?, _ json: inout JSONWriter) {
        guard let text else { return }
        json.key(key)
        json.string(text)
    }
}
