import PipelineIR

/// A plan as a comment on a pull request.
///
/// All text from the danubefile stands as HTML inside `<code>` in one HTML block, where Markdown
/// is not read: a name cannot mention a person, make a link, or leave its cell.
enum PlanMarkdown {
    /// A comment of GitHub holds 65,536 characters; what is over these bounds is counted.
    private static let tableBytes = 30_000
    private static let diagramBytes = 24_000
    private static let diagramEdges = 400

    /// Renders the comment.
    static func render(_ plan: Plan, heading: PlanTable.Heading) -> TextBuffer {
        var buffer = TextBuffer()
        buffer.put("<h3>Plan of ")
        code(plan.pipeline, &buffer)
        buffer.put("</h3>\n<p>")
        var facts = [PlanTable.count(plan.steps.count, "step")]
        let conditional = plan.steps.count { $0.condition != nil }
        if conditional > 0 { facts.append("\(conditional) conditional") }
        if plan.exits.count > 1 { facts.append("\(plan.exits.count) paths") }
        if plan.exits.contains(where: { $0.kind == .live }) { facts.append("<b>ends live</b>") }
        if !heading.occasion.isEmpty { facts.append(html(heading.occasion)) }
        buffer.put(facts.joined(separator: " · "))
        if !heading.digest.isEmpty {
            buffer.put(" · ")
            code(String(heading.digest.prefix(19)), &buffer)
        }
        buffer.put("</p>\n\n")
        putSteps(plan, &buffer)
        putLive(plan, &buffer)
        putDiagram(plan, &buffer)
        return buffer
    }

    private static func putSteps(_ plan: Plan, _ buffer: inout TextBuffer) {
        if plan.steps.isEmpty { return }
        let long = plan.steps.count > 20
        if long { buffer.put("<details>\n<summary>\(plan.steps.count) steps</summary>\n") }
        buffer.put("<table>\n")
        buffer.put("<tr><th>#</th><th>Step</th><th>Image</th><th>After</th><th>Remarks</th></tr>\n")
        var details = StepDetails(plan)
        let start = buffer.bytes.count
        var shown = 0
        for (index, step) in plan.steps.enumerated() {
            if buffer.bytes.count - start > tableBytes { break }
            buffer.put("<tr><td>\(index + 1)</td><td>")
            let coordinates = PlanColumns.coordinates(step)
            code(coordinates.isEmpty ? step.name : "\(step.name) (\(coordinates))", &buffer)
            buffer.put("</td><td>")
            let image = plan.image(of: step)
            if !image.isEmpty { code(image, &buffer) }
            buffer.put("</td><td>")
            buffer.put(DisplayText.fitted(Predecessors.words(step, dash: "–"), columns: 40))
            buffer.put("</td><td>")
            let remarks = details.remarks(step)
            for (number, remark) in remarks.enumerated() {
                if number > 0 { buffer.put(", ") }
                code(remark.text, &buffer)
            }
            buffer.put("</td></tr>\n")
            shown += 1
        }
        if shown < plan.steps.count {
            buffer.put("<tr><td></td><td colspan=\"4\">… \(plan.steps.count - shown) more: ")
            buffer.put("<code>danube plan</code> shows all</td></tr>\n")
        }
        buffer.put("</table>\n")
        if long { buffer.put("</details>\n") }
        buffer.put("\n")
    }

    private static func putLive(_ plan: Plan, _ buffer: inout TextBuffer) {
        for exit in plan.exits.prefix(16) where exit.kind == .live {
            buffer.put("<p>Live")
            if let frame = exit.frame, plan.frames.indices.contains(frame.int) {
                buffer.put(" from line \(plan.frames[frame.int].line)")
            }
            if !exit.expression.isEmpty {
                buffer.put(": ")
                code(exit.expression, &buffer)
            }
            if !exit.code.isEmpty { buffer.put(" (\(html(exit.code)))") }
            buffer.put("</p>\n\n")
        }
    }

    private static func putDiagram(_ plan: Plan, _ buffer: inout TextBuffer) {
        if plan.steps.isEmpty { return }
        // A diagram of more steps than edges allowed would be thrown away.
        if plan.steps.count <= diagramEdges {
            let graph = PlanGraph(plan)
            if graph.edges.count <= diagramEdges {
                let diagram = PlanMermaid.render(graph, groups: plan.groups)
                if diagram.bytes.count <= diagramBytes {
                    buffer.put("<details>\n<summary>Diagram</summary>\n\n```mermaid\n")
                    buffer.put(bytes: diagram.bytes)
                    buffer.put("```\n\n</details>\n")
                    return
                }
            }
        }
        buffer.put("<p>The plan is too large for a diagram here: ")
        buffer.put("<code>danube plan --format dot</code> draws it.</p>\n")
    }

    private static func code(_ text: String, _ buffer: inout TextBuffer) {
        buffer.put("<code>")
        buffer.put(html(DisplayText.fitted(text, columns: 200)))
        buffer.put("</code>")
    }

    /// Escaped for HTML, and for Markdown should a reader not know the block.
    static func html(_ text: String) -> String {
        var result = ""
        for scalar in DisplayText.escaped(text).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"", "'", "`", "|", "*", "_", "[", "]", "@", "#", "\\", "~", ":", "!":
                result += "&#\(scalar.value);"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
