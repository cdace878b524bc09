import PipelineIR

/// How wide the columns of a plan's table are, and what stands in them.
struct PlanColumns {
    private(set) var number = 1
    private(set) var name = 4
    /// 0 where the column is left out.
    private(set) var command = 0
    private(set) var image = 0
    private(set) var after = 0
    /// Where the remarks begin.
    private(set) var remarks = 0
    /// Whether images are said in the remarks, for want of room.
    private(set) var imagesInRemarks = false
    /// Between the ends of a range.
    let dash: String

    private let plan: Plan
    private let templates: TemplateWords

    /// From this width on there is room for commands.
    private static let columnsForCommands = 120
    /// From this width on there is room for images.
    private static let columnsForImages = 64

    init(
        _ plan: Plan, _ rows: PlanRows, _ layout: PlanTable.Layout, _ templates: TemplateWords
    ) {
        self.templates = templates
        self.plan = plan
        dash = layout.unicode ? "–" : "-"
        number = String(plan.steps.count).utf8.count
        let areMany = differentImages(plan)
        let showsImage = areMany && (layout.columns ?? .max) >= Self.columnsForImages
        imagesInRemarks = areMany && !showsImage
        let showsCommand = (layout.columns ?? 0) >= Self.columnsForCommands
        for row in rows.rows {
            guard case .step(let index) = row.content else { continue }
            let step = plan.steps[index]
            name = max(name, row.depth * 2 + Self.nameWidth(step))
            if showsImage { image = max(image, DisplayText.width(plan.image(of: step))) }
            after = max(after, DisplayText.width(Predecessors.words(step, dash: dash)))
            if showsCommand { command = max(command, DisplayText.width(command(of: step))) }
        }
        fit(layout.columns)
        if image > 0 { image = max(image, 5) }
        if after > 0 { after = max(after, 5) }
        if command > 0 { command = max(command, 7) }
        remarks = number + 2 + name + 2 + gap(command) + gap(image) + gap(after)
    }

    private mutating func fit(_ columns: Int?) {
        guard let columns else {
            // Nothing is cut; one long name does not push all others aside.
            name = min(name, 64)
            image = min(image, 48)
            after = min(after, 16)
            return
        }
        after = min(after, max(5, columns / 12))
        image = min(image, max(12, columns / 4))
        let rest = columns - number - 6 - gap(image) - gap(after)
        let part = imagesInRemarks ? 100 : command > 0 ? 45 : 75
        name = min(name, max(8, rest * part / 100))
        let forCommand = rest - name - 32
        command = forCommand >= 16 ? min(command, forCommand) : 0
    }

    private func gap(_ width: Int) -> Int { width == 0 ? 0 : width + 2 }

    /// Images get a column only when there are several.
    private func differentImages(_ plan: Plan) -> Bool {
        var first: String?
        for step in plan.steps where step.kind == .run {
            let image = plan.image(of: step)
            if first == nil { first = image } else if first != image { return true }
        }
        return false
    }

    /// An image's reference, escaped and in so many columns: the registry and folders go first, as
    /// the name and the tag tell more.
    static func shortened(image: String, columns: Int) -> String {
        let whole = DisplayText.escaped(image)
        if DisplayText.width(whole) <= columns { return whole }
        var rest = whole[...]
        while let slash = rest.firstIndex(of: "/") {
            rest = rest[rest.index(after: slash)...]
            let short = "…/" + rest
            if DisplayText.width(short) <= columns { return short }
        }
        return DisplayText.cutInside(String(rest), columns: columns)
    }

    /// The command's first line, unless the name says the same.
    func command(of step: Step) -> String {
        if step.kind == .upload { return "" }
        let text = templates.text(step.command)
        return text == step.name ? "" : DisplayText.firstLine(text, columns: 400)
    }

    /// Matrix coordinates that the name does not tell already.
    static func coordinates(_ step: Step) -> String {
        if step.matrix.isEmpty { return "" }
        let missing = step.matrix.filter { !step.name.contains($0.value) }
        return missing.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }

    private static func nameWidth(_ step: Step) -> Int {
        let coordinates = coordinates(step)
        let own = DisplayText.width(step.name)
        return coordinates.isEmpty ? own : own + 1 + DisplayText.width(coordinates)
    }
}
